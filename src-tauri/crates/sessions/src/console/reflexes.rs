//! What a WebSocket console answers by itself: every message back, or what the user's rules say.

use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::Regex;
use weir_transport::ws::Message;

use crate::Error;
use crate::view::{ConsoleRule, RuleHow};

/// Messages that are sent by themselves with nothing of the user's in between, until they rest: two ends that answer each other would go
/// on for ever.
const MOST: u32 = 10_000;

/// Echo and rules in force.
#[derive(Default)]
pub(crate) struct Reflexes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    echo: bool,
    rules: Vec<Rule>,
    /// Sent by themselves since the user last sent something.
    streak: u32,
}

enum Rule {
    Contains(String, String),
    Equals(String, String),
    Matches(Box<Regex>, String),
}

impl Reflexes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts these in force; those that rested work again.
    ///
    /// # Errors
    /// `console-rule` where a pattern is none or a rule says nothing of when it holds; what was in force stays.
    pub fn set(&self, echo: bool, rules: &[ConsoleRule]) -> Result<(), Error> {
        let rules = rules.iter().filter(|rule| rule.on).map(read).collect::<Result<_, _>>()?;
        *self.lock() = Inner { echo, rules, streak: 0 };
        Ok(())
    }

    /// The user sent something.
    pub fn wake(&self) {
        self.lock().streak = 0;
    }

    /// Whether they sent too much by themselves.
    pub fn rest(&self) -> bool {
        self.lock().streak >= MOST
    }

    /// What `message` is answered with, in order.
    pub fn answers(&self, message: &Message) -> Vec<Message> {
        let mut inner = self.lock();
        let idle = !inner.echo && inner.rules.is_empty();
        if idle || inner.streak >= MOST {
            return Vec::new();
        }
        let mut answers = Vec::new();
        if inner.echo && matches!(message, Message::Text(_) | Message::Binary(_)) {
            answers.push(message.clone());
        }
        if let Message::Text(bytes) = message
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            answers.extend(inner.rules.iter().filter_map(|rule| rule.reply(text)).map(|reply| Message::Text(reply.into())));
        }
        inner.streak = inner.streak.saturating_add(answers.len() as u32);
        answers
    }
}

impl Rule {
    fn reply(&self, text: &str) -> Option<String> {
        match self {
            Self::Contains(when, reply) => text.contains(when.as_str()).then(|| reply.clone()),
            Self::Equals(when, reply) => (text == when).then(|| reply.clone()),
            Self::Matches(pattern, reply) => {
                let found = pattern.captures(text)?;
                let mut said = String::new();
                found.expand(reply, &mut said);
                Some(said)
            }
        }
    }
}

fn read(rule: &ConsoleRule) -> Result<Rule, Error> {
    let wrong = |message: &str, evidence: String| {
        Error::new("user", "console-rule", message, "The rules stay as they were.", evidence, "Correct the rule, or switch it off.")
    };
    if rule.when.is_empty() && rule.how != RuleHow::Equals {
        return Err(wrong("A rule does not say which messages it is for.", format!("answer: {}", rule.reply)));
    }
    Ok(match rule.how {
        RuleHow::Contains => Rule::Contains(rule.when.clone(), rule.reply.clone()),
        RuleHow::Equals => Rule::Equals(rule.when.clone(), rule.reply.clone()),
        RuleHow::Matches => {
            let pattern = Regex::new(&rule.when).map_err(|why| wrong("A rule's pattern is no regular expression.", why.to_string()))?;
            Rule::Matches(Box::new(pattern), rule.reply.clone())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(how: RuleHow, when: &str, reply: &str) -> ConsoleRule {
        ConsoleRule { on: true, how, when: when.into(), reply: reply.into() }
    }

    fn said(reflexes: &Reflexes, text: &str) -> Vec<String> {
        let answers = reflexes.answers(&Message::Text(text.to_owned().into()));
        answers
            .into_iter()
            .map(|answer| if let Message::Text(text) = answer { String::from_utf8(text.into()).unwrap() } else { "?".into() })
            .collect()
    }

    #[test]
    fn rules_answer_what_fits_and_nothing_else() {
        let reflexes = Reflexes::default();
        let off = ConsoleRule { on: false, ..rule(RuleHow::Matches, "(", "never read") };
        let rules = [
            rule(RuleHow::Contains, "ping", "pong"),
            rule(RuleHow::Equals, "", "nothing?"),
            rule(RuleHow::Matches, r#""id":(\d+)"#, r#"{"ack":$1}"#),
            off,
        ];
        reflexes.set(false, &rules).unwrap();
        assert_eq!(said(&reflexes, "a ping"), ["pong"]);
        assert_eq!(said(&reflexes, ""), ["nothing?"]);
        assert_eq!(said(&reflexes, r#"{"id":42,"ping":1}"#), ["pong", r#"{"ack":42}"#]);
        assert!(said(&reflexes, "else").is_empty());
        assert!(reflexes.answers(&Message::Binary(b"ping".as_slice().into())).is_empty());
        assert_eq!(reflexes.set(true, &[rule(RuleHow::Matches, "(", "")]).unwrap_err().0.code, "console-rule");
        assert_eq!(reflexes.set(true, &[rule(RuleHow::Contains, "", "all")]).unwrap_err().0.code, "console-rule");
        assert_eq!(said(&reflexes, "a ping"), ["pong"], "what was in force stays");
    }

    #[test]
    fn an_echo_rests_until_the_user_sends_something() {
        let reflexes = Reflexes::default();
        reflexes.set(true, &[]).unwrap();
        for _ in 0..MOST {
            assert_eq!(said(&reflexes, "x"), ["x"]);
        }
        assert!(reflexes.rest() && said(&reflexes, "x").is_empty());
        reflexes.wake();
        assert!(!reflexes.rest());
        assert_eq!(said(&reflexes, "x"), ["x"]);
        assert!(reflexes.answers(&Message::Ping(b"p".as_slice().into())).is_empty(), "pings answer themselves");
    }
}
