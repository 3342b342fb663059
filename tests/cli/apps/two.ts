/** A module that exports two Apps. */
import { App } from "@activejob/kafka";

export const app: App = new App({ name: "one", broker: "memory:", jobs: [], topics: [] });
export default new App({ name: "two", broker: "memory:", jobs: [], topics: [] });
