//! Files that go along with a request. Their content is kept in Weir's folder under what it hashes to; drafts, previews and the page hold
//! a reference in its place, so that a file of several megabytes does not travel with every letter that is typed. What is sent holds the
//! content again.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use weir_dialects::{Ask, Source};

use crate::view::Draft;
use crate::{Engine, Error};

/// What a reference begins with: `weir-file:SHA256:BYTES`, the hash in hex. It stands where base64 would, and no base64 has a colon.
const MARK: &str = "weir-file:";

/// Bytes of one file at most.
const MOST: usize = 64 << 20;

/// Bytes of all files at most; the ones that were used longest ago go first.
const ALL: u64 = 1 << 30;

/// Base64 of this length may stay in a draft.
const SHORT: usize = 64 << 10;

impl Engine {
    /// Keeps a file; tells its reference.
    ///
    /// # Errors
    /// `file-too-large` beyond 64 MiB; `file` where the disk fails.
    pub fn keep_file(&self, content: &[u8]) -> Result<String, Error> {
        if content.len() > MOST {
            return Err(Error::new(
                "user",
                "file-too-large",
                "The file is larger than 64 MiB.",
                "It is not attached.",
                format!("{} bytes", content.len()),
                "Put it where the provider can fetch it, and attach its URL.",
            ));
        }
        let name: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = self.files();
        let path = folder.join(&name);
        let written = || {
            fs::create_dir_all(&folder)?;
            match fs::File::options().append(true).open(&path) {
                // It is there: used again, it is the last to go.
                Ok(file) => file.set_modified(SystemTime::now()),
                Err(_) => {
                    let half = folder.join(format!("{name}.part"));
                    fs::write(&half, content)?;
                    fs::rename(&half, &path)
                }
            }
        };
        written().map_err(|error| failed(&path, &error))?;
        self.prune(&name);
        Ok(format!("{MARK}{name}:{}", content.len()))
    }

    /// The content that a reference stands for.
    ///
    /// # Errors
    /// `missing` where it is no reference; `file-gone` where the file is no longer kept.
    pub fn file(&self, reference: &str) -> Result<Vec<u8>, Error> {
        let name = name(reference).filter(|(_, length)| *length == reference.len()).ok_or_else(|| Error::missing("file"))?.0;
        fs::read(self.files().join(name)).map_err(|error| {
            Error::new(
                "user",
                "file-gone",
                "An attached file is no longer kept.",
                "Nothing was sent.",
                format!("{reference}: {error}"),
                "Remove it from the turn and attach it again.",
            )
        })
    }

    /// The question with every reference replaced by what it stands for. A text that only looks like one stays.
    ///
    /// # Errors
    /// `file-gone` where a file is no longer kept.
    pub fn with_files(&self, ask: &Ask) -> Result<Ask, Error> {
        let attached: Vec<&str> = references(ask).collect();
        self.replaced(ask, |text| {
            let mut out = String::with_capacity(text.len());
            let mut rest = text;
            while let Some(at) = rest.find(MARK) {
                let (before, from) = rest.split_at(at);
                out.push_str(before);
                let length = name(from).map_or(MARK.len(), |(_, length)| length);
                let (reference, behind) = from.split_at(length);
                match self.file(reference) {
                    Ok(content) => STANDARD.encode_string(content, &mut out),
                    Err(error) if attached.contains(&reference) => return Err(error),
                    Err(_) => out.push_str(reference),
                }
                rest = behind;
            }
            out.push_str(rest);
            Ok(out)
        })
    }

    /// The question with every long attachment kept as a file, and a reference in its place.
    ///
    /// # Errors
    /// Those of [`Engine::keep_file`].
    pub fn without_files(&self, ask: &Ask) -> Result<Ask, Error> {
        let mut kept = Vec::new();
        for attachment in ask.messages.iter().flat_map(|message| &message.attachments) {
            if let Source::Data(data) = &attachment.source
                && data.len() > SHORT
                && let Ok(content) = STANDARD.decode(data)
            {
                kept.push((data.as_str(), self.keep_file(&content)?));
            }
        }
        if kept.is_empty() {
            return Ok(ask.clone());
        }
        self.replaced(ask, |text| Ok(kept.iter().fold(text.to_owned(), |text, (data, reference)| text.replace(data, reference))))
    }

    /// The draft with the content of its text files: dialects look into those.
    pub(crate) fn with_texts(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        for attachment in draft.ask.messages.iter_mut().flat_map(|message| &mut message.attachments) {
            let text = attachment.media_type.starts_with("text/") || attachment.media_type == "application/json";
            if let Source::Data(data) = &mut attachment.source
                && text
                && data.starts_with(MARK)
                && let Ok(content) = self.file(data)
            {
                *data = STANDARD.encode(content);
            }
        }
        draft
    }

    /// Changes the question as JSON text: attachments, a body edited by hand and turns kept aside alike. Neither base64 nor references
    /// have a character that JSON would write in another way.
    fn replaced(&self, ask: &Ask, change: impl FnOnce(&str) -> Result<String, Error>) -> Result<Ask, Error> {
        // A question is plain data, which JSON always holds and gives back.
        let text = serde_json::to_string(ask).unwrap_or_default();
        Ok(serde_json::from_str(&change(&text)?).unwrap_or_else(|_| ask.clone()))
    }

    fn files(&self) -> PathBuf {
        self.home().join("files")
    }

    /// Removes what was used longest ago while all take more than [`ALL`]; never `newest`. A file that cannot be removed stays.
    fn prune(&self, newest: &str) {
        let mut files: Vec<_> = fs::read_dir(self.files())
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let about = entry.metadata().ok()?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        files.sort_unstable();
        let mut all: u64 = files.iter().map(|file| file.1).sum();
        for (_, length, path) in files {
            if all <= ALL {
                return;
            }
            if !path.ends_with(newest) && fs::remove_file(&path).is_ok() {
                all -= length;
            }
        }
    }
}

/// Bytes of the files that are attached by reference.
pub fn attached(ask: &Ask) -> usize {
    references(ask).filter_map(|reference| reference.rsplit(':').next()?.parse::<usize>().ok()).sum()
}

/// References among the attachments.
fn references(ask: &Ask) -> impl Iterator<Item = &str> {
    ask.messages.iter().flat_map(|message| &message.attachments).filter_map(|attachment| match &attachment.source {
        Source::Data(data) if data.starts_with(MARK) => Some(data.as_str()),
        _ => None,
    })
}

/// The hash in the reference that `text` begins with, and how long that reference is.
fn name(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix(MARK)?;
    let hash = rest.get(..64).filter(|hash| hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)))?;
    let digits = rest[64..].strip_prefix(':')?.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some((hash, MARK.len() + 64 + 1 + digits))
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "file",
        "The file cannot be kept.",
        "It is not attached.",
        format!("{}: {error}", path.display()),
        "Make room on the disk, or set WEIR_HOME to a folder that can be written to.",
    )
}

#[cfg(test)]
mod tests {
    use weir_dialects::{Attachment, Message, Role};

    use super::*;

    fn engine() -> (Engine, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        (Engine::open(home.path()).unwrap(), home)
    }

    fn ask(data: &str) -> Ask {
        let image = Attachment { media_type: "image/png".into(), name: "a.png".into(), source: Source::Data(data.into()) };
        Ask { messages: vec![Message { attachments: vec![image], ..Message::new(Role::User, "look") }], ..Ask::default() }
    }

    fn draft() -> Draft {
        let on_the_wire = serde_json::json!({ "provider": "llamacpp", "dialect": "openai-chat", "transport": "sse", "http": "auto", "ask": Ask::default() });
        serde_json::from_value(on_the_wire).unwrap()
    }

    #[test]
    fn a_long_attachment_is_a_reference_until_it_is_sent() {
        let (engine, home) = engine();
        let content: Vec<u8> = (0..200_000_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
        let whole = ask(&STANDARD.encode(&content));
        let short = engine.without_files(&whole).unwrap();
        let Source::Data(reference) = &short.messages[0].attachments[0].source else { panic!("it is data") };
        assert!(reference.starts_with(MARK) && reference.ends_with(":200000"), "{reference}");
        assert_eq!(engine.file(reference).unwrap(), content);
        assert_eq!(engine.with_files(&short).unwrap(), whole);
        assert_eq!(engine.without_files(&short).unwrap(), short);

        // In a body edited by hand it stands as well; what only looks like one is left alone.
        let text = format!("{{\"url\":\"data:image/png;base64,{reference}\",\"x\":\"{MARK}no, {MARK}{}:7\"}}", "0".repeat(64));
        let edited = Ask { raw_body: Some(text.clone()), ..Ask::default() };
        let sent = engine.with_files(&edited).unwrap().raw_body.unwrap();
        assert_eq!(sent, text.replace(reference.as_str(), &STANDARD.encode(&content)));

        fs::remove_dir_all(home.path().join("files")).unwrap();
        assert_eq!(engine.with_files(&short).unwrap_err().0.code, "file-gone");
    }

    #[test]
    fn code_holds_small_files_whole_and_says_where_large_ones_belong() {
        let (engine, _home) = engine();
        let code = |bytes: usize| {
            let content: Vec<u8> = (0..bytes as u32).map(|n| ((n * 7919) >> 3) as u8).collect();
            let short = engine.without_files(&ask(&STANDARD.encode(&content))).unwrap();
            let draft = Draft { ask: Ask { model: "m".into(), ..short }, ..draft() };
            (crate::code::for_draft(&engine, &draft).unwrap(), STANDARD.encode(&content))
        };
        let (small, base64) = code(100_000);
        assert!(small.iter().all(|sample| sample.text.contains(&base64) && !sample.text.contains(MARK) && sample.note.is_none()));
        let (large, _) = code(400_000);
        assert!(
            large.iter().all(|sample| sample.text.contains(MARK) && sample.note.as_deref().is_some_and(|note| note.contains("391 KiB")))
        );
    }

    #[test]
    fn short_ones_and_odd_names_stay_what_they_are() {
        let (engine, _home) = engine();
        for data in ["QUJD", "weir-file:", "weir-file:../../etc/passwd:1", ""] {
            assert_eq!(engine.without_files(&ask(data)).unwrap(), ask(data));
            assert!(engine.file(data).is_err());
        }
        assert_eq!(engine.keep_file(&vec![0; MOST + 1]).unwrap_err().0.code, "file-too-large");
    }
}
