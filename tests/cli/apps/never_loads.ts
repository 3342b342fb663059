/** A module whose top-level `await` does not end. */
await new Promise(() => {});
export {};
