//! JSON (RFC 8259) with the range of every key and value, kept as sent: duplicate keys, big numbers and lone surrogates included.

mod parser;
#[cfg(test)]
mod tests;

use crate::Span;

/// What kind of value a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number, as sent.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

/// One value of a document, in document order (a parent before its children).
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Index of the parent in the same list; `None` for a top-level value.
    pub parent: Option<u32>,
    /// The member's key with its quotes, where the parent is an object.
    pub key: Option<Span>,
    /// Position among the parent's children; among the documents for a top-level value.
    pub index: u32,
    /// The value, strings with their quotes. An object or array that an error left open reaches to the error.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// Where a document broke the grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// Offset of the first byte that cannot stand there.
    pub at: u64,
    /// Which rule of RFC 8259 was broken, in words.
    pub message: String,
    /// The input ended inside a value, or before one.
    pub incomplete: bool,
}

/// The values of `bytes` (one JSON document, or several one after another) and the first error, if any; what came before it is kept.
///
/// Documents stand apart by whitespace; where the border shows without (`{}{}`, `1"a"`) it may be missing.
/// Input without a value is an error: RFC 8259 §2 wants one. Nesting is followed iteratively, so depth costs no stack.
pub fn parse(bytes: &[u8]) -> (Vec<Node>, Option<Error>) {
    let mut nodes = Vec::new();
    let error = parser::parse(bytes, Some(&mut nodes)).err();
    (nodes, error)
}

/// Where a second value begins among the `nodes` of one text: a JSON text is one value (RFC 8259 §2), so what follows it belongs to none.
pub fn second(nodes: &[Node]) -> Option<u64> {
    nodes.iter().filter(|node| node.parent.is_none()).nth(1).map(|node| node.span.start)
}

/// Whether `bytes` is one JSON value by RFC 8259, with nothing but whitespace around it. Keeps no values, so it costs no memory
/// but a few bytes for each open level.
pub fn is_value(bytes: &[u8]) -> bool {
    parser::parse(bytes, None) == Ok(1)
}
