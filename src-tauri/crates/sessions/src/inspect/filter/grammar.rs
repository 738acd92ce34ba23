//! Words, groups and `OR`: a filter's text as an expression.
//!
//! ```text
//! filter = all *("OR" all)
//! all    = 1*(["-"] ("(" filter ")" / term))
//! ```
//! A blank ends a term outside quotes and regular expressions. A parenthesis opens a group only where a term may begin; inside a
//! term it is text, as long as it closes there.

use super::{Expression, Filter, term};
use crate::analysis::utf16_len;
use crate::view::FilterError;

/// Groups inside groups.
const DEEPEST: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Open,
    Close,
    Or,
    /// A term's text without its `-`, which begins at this byte.
    Term(usize),
}

#[derive(Clone, Copy, Debug)]
struct Token {
    start: usize,
    end: usize,
    negated: bool,
    what: What,
}

/// Parses a filter; nothing but blanks lets everything pass.
///
/// # Errors
/// The range of the first term that is none, and why.
pub fn parse(source: &str) -> Result<Filter, FilterError> {
    let tokens = tokens(source);
    let mut parser = Parser { source, tokens: &tokens, at: 0, depth: 0 };
    if tokens.is_empty() {
        return Ok(Filter::default());
    }
    let expression = parser.any()?;
    match parser.peek() {
        Some(token) => Err(parser.fail(*token, "no parenthesis is open here; quote it to search for it as text")),
        None => Ok(Filter { expression: Some(expression) }),
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn fail(&self, token: Token, message: impl Into<String>) -> FilterError {
        let at = |byte: usize| utf16_len(&self.source[..byte]);
        FilterError { start: at(token.start), end: at(token.end), message: message.into() }
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut members = vec![self.all()?];
        while let Some(token) = self.peek().filter(|token| token.what == What::Or) {
            self.at += 1;
            if self.peek().is_none_or(|next| next.what == What::Close) {
                return Err(self.fail(*token, "OR needs a term behind it; quote it to search for it as text"));
            }
            members.push(self.all()?);
        }
        Ok(Expression::any(members))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut members = Vec::new();
        while let Some(token) = self.peek() {
            let inner = match token.what {
                What::Or if members.is_empty() => {
                    return Err(self.fail(*token, "OR needs a term before it; quote it to search for it as text"));
                }
                What::Or => break,
                What::Close if members.is_empty() && self.depth > 0 => {
                    return Err(self.fail(*token, "there is nothing between the parentheses"));
                }
                What::Close => break,
                What::Open => self.group(*token)?,
                What::Term(body) => {
                    self.at += 1;
                    Expression::Test(term::test(&self.source[body..token.end]).map_err(|message| self.fail(*token, message))?)
                }
            };
            members.push(if token.negated { Expression::Not(Box::new(inner)) } else { inner });
        }
        Ok(Expression::all(members))
    }

    fn group(&mut self, open: Token) -> Result<Expression, FilterError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fail(open, format!("groups stand {DEEPEST} deep at most")));
        }
        if self.peek().is_none() {
            return Err(self.fail(open, "the closing parenthesis is missing"));
        }
        let inner = self.any()?;
        self.depth -= 1;
        match self.peek() {
            Some(Token { what: What::Close, .. }) => self.at += 1,
            _ => return Err(self.fail(open, "the closing parenthesis is missing")),
        }
        Ok(inner)
    }
}

fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let start = at;
        let negated = c == '-' && source[at + 1..].chars().next().is_some_and(|next| !(next.is_whitespace() || next == ')' && depth > 0));
        let body = at + usize::from(negated);
        let what = match source.as_bytes()[body] {
            b'(' => {
                depth += 1;
                at = body + 1;
                What::Open
            }
            b')' if !negated => {
                depth = depth.saturating_sub(1);
                at = body + 1;
                What::Close
            }
            _ => {
                at = term_end(source, body, depth > 0);
                if &source[start..at] == "OR" { What::Or } else { What::Term(body) }
            }
        };
        found.push(Token { start, end: at, negated, what });
    }
    found
}

/// Where the term that begins at `start` ends.
fn term_end(source: &str, start: usize, grouped: bool) -> usize {
    let json = source[start..].starts_with("json:");
    let mut quote = None;
    let mut inner = 0_usize;
    let mut at = if source[start..].starts_with('/') { pattern_end(source, start) } else { start };
    while let Some(c) = source[at..].chars().next() {
        match (c, quote) {
            // Names in brackets escape as JSON strings do (RFC 9535 §2.3.1.1).
            ('\\', Some(_)) if json => at += source[at + 1..].chars().next().map_or(0, char::len_utf8),
            (_, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"', None) => quote = Some('"'),
            ('\'', None) if json => quote = Some('\''),
            ('/', None) if json && source[..at].ends_with('~') => {
                at = pattern_end(source, at);
                continue;
            }
            ('(', None) => inner += 1,
            (')', None) if inner > 0 => inner -= 1,
            (')', None) if grouped => break,
            _ if c.is_whitespace() => break,
            _ => {}
        }
        at += c.len_utf8();
    }
    at
}

/// Behind the slash that ends the regular expression whose first slash stands at `start`; the end where none does.
fn pattern_end(source: &str, start: usize) -> usize {
    let mut class = false;
    let mut chars = source[start + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => class = true,
            ']' => class = false,
            '/' if !class => return start + 1 + at + 1,
            _ => {}
        }
    }
    source.len()
}
