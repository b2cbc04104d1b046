// Screens, settings: which roles may do what. The server decides; here it is only not offered.

export const EVERYBODY = ["observer", "operator", "lead", "admin"];
export const LEADS = ["lead", "admin"];
export const ADMINS = ["admin"];
