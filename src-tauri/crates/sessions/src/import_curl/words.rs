//! A command line's words, by the rules of the shell it was written for.

/// Around the name of a shell variable in a word: two characters of a private use area that nobody types.
const OPEN: char = '\u{f8f0}';
const SHUT: char = '\u{f8f1}';

/// A shell variable in a word.
pub(super) struct Variable {
    /// Its name.
    pub(super) name: String,
    /// How it stands in the word.
    pub(super) sign: String,
}

/// The variables in a word.
pub(super) fn variables(word: &str) -> Vec<Variable> {
    let signs = word.split(OPEN).skip(1).filter_map(|rest| rest.split_once(SHUT));
    signs.map(|(name, _)| Variable { name: name.to_owned(), sign: format!("{OPEN}{name}{SHUT}") }).collect()
}

/// The words of a command; what stands behind `|`, `;`, `&` or `>` is another's.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim().trim_start_matches(['$', '>', '%']).trim_start();
    let windows = text.contains("^\"") || text.contains("^\n") || text.contains("^\r\n");
    if windows { cmd(text) } else { posix(text) }
}

/// POSIX shell, XCU 2.2 and 2.3, with `$'…'` (in POSIX since 2024).
fn posix(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    let open = |what: &str| format!("A {what} is not closed.");
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some('\r') if chars.peek() == Some(&'\n') => {
                    chars.next();
                }
                Some(c) => word.get_or_insert_default().push(c),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(|| open("single quote"))? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(|| open("double quote"))? {
                        '"' => break,
                        '\\' => match chars.next().ok_or_else(|| open("double quote"))? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        '$' => variable(&mut chars, word),
                        c => word.push(c),
                    }
                }
            }
            '$' if chars.peek() == Some(&'\'') => {
                chars.next();
                ansi(&mut chars, word.get_or_insert_default())?;
            }
            '$' => variable(&mut chars, word.get_or_insert_default()),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '|' | ';' | '>' | '<' => {
                // The number of a stream to redirect is no word.
                word = word.filter(|word| !matches!(word.as_str(), "1" | "2"));
                break;
            }
            '&' if chars.peek().is_none_or(|next| next.is_whitespace() || *next == '&') => break,
            '\n' if words.is_empty() && word.is_none() => {}
            // Pasted commands often have lost the backslash before the line's end: an option on the next line belongs to it.
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// `$NAME` or `${NAME}`; any other dollar is one.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    let named = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let braced = chars.peek() == Some(&'{');
    if !braced && !chars.peek().is_some_and(|c| named(c) && !c.is_ascii_digit()) {
        return word.push('$');
    }
    if braced {
        chars.next();
    }
    let mut name = String::new();
    while let Some(c) = chars.next_if(named) {
        name.push(c);
    }
    // Of ${NAME:-default} and its kin the name is what counts.
    while braced && chars.next().is_some_and(|c| c != '}') {}
    word.extend([OPEN]);
    word.push_str(&name);
    word.push(SHUT);
}

/// The inside of `$'…'`.
fn ansi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) -> Result<(), String> {
    let open = || "A $' quote is not closed.".to_owned();
    // Bytes, since \x may spell the bytes of one character.
    let mut bytes = Vec::new();
    loop {
        let c = chars.next().ok_or_else(open)?;
        let put = |bytes: &mut Vec<u8>, c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        match c {
            '\'' => break,
            '\\' => match chars.next().ok_or_else(open)? {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                'e' | 'E' => bytes.push(27),
                'f' => bytes.push(12),
                'v' => bytes.push(11),
                'x' => bytes.push(digits(chars, 16, 2, 0) as u8),
                'u' => put(&mut bytes, char::from_u32(digits(chars, 16, 4, 0)).unwrap_or(char::REPLACEMENT_CHARACTER)),
                'U' => put(&mut bytes, char::from_u32(digits(chars, 16, 8, 0)).unwrap_or(char::REPLACEMENT_CHARACTER)),
                c @ '0'..='7' => bytes.push(digits(chars, 8, 2, c as u32 - '0' as u32) as u8),
                c => put(&mut bytes, c),
            },
            c => put(&mut bytes, c),
        }
    }
    word.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}

/// Up to `most` digits, behind those already in `value`.
fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize, mut value: u32) -> u32 {
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
        chars.next();
        value = value.wrapping_mul(radix).wrapping_add(digit);
    }
    value
}

/// Windows: `cmd` takes its carets out, then the program splits its line as the C runtime does.
fn cmd(text: &str) -> Result<Vec<String>, String> {
    let mut line = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '^' if !quoted => match chars.next() {
                Some('\r') if chars.peek() == Some(&'\n') => {
                    chars.next();
                    // A line's end behind a caret is nothing; one more is a line break that is meant.
                    if chars.next_if_eq(&'\r').is_some() | chars.next_if_eq(&'\n').is_some() {
                        line.push('\n');
                    }
                }
                Some('\n') => line.extend(chars.next_if_eq(&'\n')),
                Some(c) => line.push(c),
                None => {}
            },
            '"' => {
                quoted = !quoted;
                line.push(c);
            }
            '&' | '|' | '>' | '<' if !quoted => break,
            c => line.push(c),
        }
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let mut slashes = 1;
                while chars.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                let word = word.get_or_insert_default();
                if chars.peek() == Some(&'"') {
                    word.extend(std::iter::repeat_n('\\', slashes / 2));
                    if slashes % 2 == 1 {
                        chars.next();
                        word.push('"');
                    }
                } else {
                    word.extend(std::iter::repeat_n('\\', slashes));
                }
            }
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                word.get_or_insert_default().push('"');
            }
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '%' => {
                let rest: String = chars.clone().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let word = word.get_or_insert_default();
                if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_digit()) && chars.clone().nth(rest.len()) == Some('%') {
                    chars.nth(rest.len());
                    word.push(OPEN);
                    word.push_str(&rest);
                    word.push(SHUT);
                } else {
                    word.push('%');
                }
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err("A double quote is not closed.".into());
    }
    words.extend(word);
    Ok(words)
}
