/** A module whose "app" is not an App. */
export const app = {};
