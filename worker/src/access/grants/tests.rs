//! The grants on stores that fail, hang, lag and are written by others at the worst moment.

mod look_up;
mod publish;
mod revocation;
mod world;
