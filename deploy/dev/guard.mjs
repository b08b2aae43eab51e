// Loaded into the Wrangler that `npm start` starts: when that parent is gone, however it went,
// Wrangler and its children (one process group, of which Wrangler is the leader) go too.

/** How long Wrangler may take to end its children by itself. */
const GRACE_MS = 3_000;

process.once('disconnect', () => {
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
