//! The lake as tables: the queries of `docs/LAKE.md` run, those of `deploy/aws/` too, and erasure
//! changes no count.
#![allow(clippy::arithmetic_side_effects)]

#[cfg(test)]
mod docs;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod made;
#[cfg(test)]
mod python;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod template;
