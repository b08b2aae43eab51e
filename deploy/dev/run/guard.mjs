// Loaded into the Wrangler that `npm start` starts. When that parent is gone, however it went,
// nothing of Wrangler may outlive it: not on its port, and not on its data.

// Wrangler leads a process group of its own, which holds all it starts.
process.once('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
