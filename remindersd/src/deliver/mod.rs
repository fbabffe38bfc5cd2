//! Sending what is due: it claims, renders, sends and answers.

pub mod message;
