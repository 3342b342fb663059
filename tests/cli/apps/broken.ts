/** A module that throws: an App with an option that does not exist. */
import { App } from "@activejob/kafka";

export const app: App = new App({ name: "broken", broker: "memory:", jobs: [], topics: [], concurency: 3 } as never);
