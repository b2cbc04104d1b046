"""stub"""
DEFAULT_FLOOR = 0.5
