/** A module that exports its App under another name. */
import { App } from "@activejob/kafka";

export const shop: App = new App({ name: "shop", broker: "memory:", jobs: [], topics: [] });
