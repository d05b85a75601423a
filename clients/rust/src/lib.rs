//! A client of the exchange: a codec that `sbegen` writes from the schema, a session, a book of levels.
//! README.md shows how they are used; docs/PROTOCOL.md says what the messages mean.

#[macro_use]
pub mod messages;
pub mod book;
pub mod codec;
pub mod session;
