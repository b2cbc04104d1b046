"""The words of questions: which carry no meaning for a search, which carry little, and which say the same thing."""

import re
import unicodedata

from deskmate.domain.thesaurus import SAME as _SAME

_WORD = re.compile(r"[^\W_]+")
_HUMPS = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]{2,})|[A-Z]{1,2}[a-z]+|[a-z]+|[A-Z]+|\d+")

EMPTY = frozenset(
    """
    a about above after again all already also although am an and any anyone anything are aren as ask at be because been
    before being below between both but by can cannot cant could couldn d did didn do does doesn doing don done during each
    either else ever every few for from further had hadn has hasn have haven having he her here hers herself him himself his
    how i if in into is isn it its itself just let ll m ma may maybe me might mine more most mustn my myself near need needn
    needed needs neither no nor not now of off on once one ones only onto or other others our ours ourselves out over own
    perhaps per please possible possibly re really s same shall shan she should shouldn since so some somebody someone
    somehow something such t than that the their theirs them themselves then there these they thing things this those though
    through thus to too under until up upon us ve very via was wasn way ways we were weren what whatever when where whether
    which while who whom whose why will with within without won would wouldn wont yes yet you your yours yourself yourselves
    hello hi hey dear thanks thank thx regards cheers sorry ok okay hallo pls plz currently actually basically simply
    exactly instead wondering wonder help question questions tell explain know understand mean means meaning want wants
    wanted wish like likes looking look trying try tried able unable anyway somewhere sort lot lots much many little
    bit im ive id youre dont doesnt didnt isnt arent whats hows wheres theres couldnt wouldnt shouldnt hasnt havent wasnt
    happen happens happened supposed mind correct right good best better properly proper easy easily easiest quick quickly
    etc eg ie
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

LIGHT = frozenset(
    """
    step steps instruction instructions guide tutorial procedure example examples four five six seven eight nine ten twenty thirty
    forty fifty sixty hundred thousand
    use used using user users uses make makes making made get gets getting got give gives given go goes going went take
    takes taking took taken put puts work works working worked come comes came keep keeps kept find finding found see seeing
    show shows showing shown say says said set sets setting run runs running start starts started begin stop stops support
    supports supported supporting allow allows allowed offer offers provide provides provided available new old first last
    next different difference own many several multiple single two three another specific certain automatically always never
    often still sometimes today tomorrow yesterday anymore soon later long time times per type types way kind kinds part parts
    place create creates creating created add adds adding added have having handle handles handling change changes changing
    changed write writing call calls called name names named value values list lists default whole full entire big small
    large great nice real recommended recommend must inside outside top size week weeks month months day days year years
    minute minutes second seconds hour hours page pages site sites website thing data information info product service
    feature features option options open opens turn turned switch happen correctly wrong right problem problems issue issues
    error errors fix fixes fixed version versions custom self simple normal regular actual current manually manual directly
    together against
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

COMMON = frozenset(
    """
    sit sits sitting stand stands stay stays stayed staying leave leaves leaving left bring brings brought hold holds held carry
    carries pull pulls push pushes hit hits break breaks broke fall falls drop drops raise raised grow grows become becomes
    became remain remains seem seems seemed appear appears appeared disappear disappears disappeared feel feels hear heard hope
    believe guess suppose wonder decide decided choose chose chosen pick picked prefer prefers preferred depend depends
    matter matters concern care cares worry afraid remember forget forgot learn learned learning teach talk talked speak spoke
    ask asked asking answer answered reach reached follow followed following lead leads bear refer refers rely relies
    let lets letting allow avoid prevent ensure cause causes caused force forced suddenly somewhere elsewhere everywhere
    nowhere anywhere everybody everything nobody nothing none both enough rather quite pretty almost nearly hardly barely
    completely totally entirely fully partly mostly mainly especially particular particularly generally usually normally
    typically commonly rarely frequently occasionally eventually finally immediately instantly quickly slowly directly
    apparently obviously clearly likely unlikely probably perhaps definitely absolutely nicely badly simply merely
    old older oldest young newer newest latest early earlier late later previous previously former recent recently past
    future next following second third fourth half double triple pair couple few fewer less least more most bunch
    stuff item items object objects piece pieces bits side sides end ends middle bottom corner edge top front back behind
    near nearby close far away around along across beside beyond between among within
    true false sure certain clear obvious fine okay bad worse worst weird strange odd funny annoying confusing
    hard difficult tricky impossible simple plain fancy pretty ugly clean dirty short shorter long longer high higher low lower
    wide narrow deep thin thick heavy light full empty whole total overall main major minor extra additional
    various different same similar equal alike like unlike identical separate common general special
    person people folks guy guys man woman child children kid kids husband wife mother father parent friend friends
    boss colleague colleagues somebody someone anyone buddy neighbour neighbor
    morning evening night noon midnight tonight weekend daily weekly monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december
    house home room place places area areas world life story idea ideas fact facts reason reasons case cases situation
    moment point points question chance way ways manner style sense kind sort level
    red green blue yellow black white grey gray orange
    zero seven eight dozen hundred thousand million
    happy sad sorry glad fresh ready done complete finished finish finishes begin began begun continue continues keep
    bought sold sell sells spend spent lose loses lost win won save saves waste wasted share shared
    hand hands eye eyes head face finger body
    intended meant planned expected expect expects supposed assume assumed required needed necessary
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
"""Everyday words: a customer's way to put it. When the files lack one, it says less than a missing name of a thing."""


def words_of(text: str) -> list[str]:
    """Lower-case words without accents. Underscores, hyphens and apostrophes divide words."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def names_of(text: str) -> list[str]:
    """As `words_of`, and after a name like StaticFiles also its parts: who asks writes "static files"."""
    found: list[str] = []
    for word in _WORD.findall(text):
        found.extend(words_of(word))
        parts = _HUMPS.findall(word) if any(c.isupper() for c in word[1:]) else []
        if len(parts) > 1 and min(map(len, parts)) > 2:
            found.extend(words_of(" ".join(parts)))
    return found


_SAID, _NEAR, _BACK = 0.9, 0.35, 0.2


def _groups() -> dict[tuple[str, ...], tuple[tuple[tuple[str, ...], float], ...]]:
    said: dict[tuple[str, ...], dict[tuple[str, ...], float]] = {}
    for line in _SAME.split(";"):
        same_text, _, near_text = line.partition("|")
        same, near = _phrases(same_text), _phrases(near_text)
        for phrase in same:
            others = said.setdefault(phrase, {})
            for other in same:
                if other != phrase:
                    others[other] = max(others.get(other, 0.0), _SAID)
            for other in near:
                others[other] = max(others.get(other, 0.0), _NEAR)
                back = said.setdefault(other, {})
                back[phrase] = max(back.get(phrase, 0.0), _BACK)
    return {phrase: tuple(others.items()) for phrase, others in said.items()}


def _phrases(text: str) -> list[tuple[str, ...]]:
    return [tuple(words_of(quoted or word)) for quoted, word in re.findall(r'"([^"]+)"|(\S+)', text)]


SAME = _groups()
"""For a word or phrase: what else says it, and how well (1 would be the word itself)."""

LONGEST = max(len(phrase) for phrase in SAME)
