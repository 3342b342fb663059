/** A module whose top-level `await` does not end, while something is pending. */
setInterval(() => {}, 1000);
await new Promise(() => {});
export {};
