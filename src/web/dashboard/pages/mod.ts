/** The pages of the dashboard, in the order of the navigation. */
import type { Page } from "../page.ts";
import { about } from "./about.ts";

/** Every page. */
export const PAGES: readonly Page[] = [about as Page];
