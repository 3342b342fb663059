/** A module that exports its App under a name of its own. */
import { App } from "@activejob/kafka";

export const shop: App = new App({ name: "shop", broker: "memory:", jobs: [], topics: [] });
