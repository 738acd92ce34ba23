//! Paths with names in them, such as `/v1beta/models/{model}:generateContent`.

use crate::overrides::unescape;

/// `path` percent-decoded, with single slashes and none at its end.
pub(super) fn plain(path: &str) -> String {
    let path = unescape(path, false);
    let mut plain = String::with_capacity(path.len() + 1);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        plain.push('/');
        plain.push_str(part);
    }
    if plain.is_empty() { "/".into() } else { plain }
}

/// `path` without `prefix` as its first part.
pub(super) fn without<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = path.strip_prefix('/')?.strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
    if rest.is_empty() { Some("/") } else { rest.starts_with('/').then_some(rest) }
}

/// What stands in place of the names in `pattern`, where `path` fits it. A name takes as little as it can.
pub(super) fn fit(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let Some((fixed, rest)) = pattern.split_once('{') else {
        return (pattern == path).then(Vec::new);
    };
    let (name, after) = rest.split_once('}')?;
    let path = path.strip_prefix(fixed)?;
    path.char_indices().map(|(at, c)| at + c.len_utf8()).find_map(|end| {
        let mut names = fit(after, &path[end..])?;
        names.insert(0, (name, path[..end].to_string()));
        Some(names)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_what_lies_between() {
        let fits = |pattern, path| {
            fit(pattern, path).map(|names| names.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(fits("/a", "/a").as_deref(), Some(""));
        assert_eq!(fits("/a", "/a/b"), None);
        let stream = "/v1beta/models/{model}:streamGenerateContent";
        assert_eq!(fits(stream, "/v1beta/models/lab/steady:streamGenerateContent").as_deref(), Some("model=lab/steady"));
        assert_eq!(fits(stream, "/v1beta/models/:streamGenerateContent"), None);
        assert_eq!(fits("/p/{p}/l/{l}/m", "/p/x/l/y/l/z/m").as_deref(), Some("p=x l=y/l/z"));
        assert_eq!(fits("/m/{m}", "/m/é/ü").as_deref(), Some("m=é/ü"));
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(plain("//a%2Fb///c/"), "/a/b/c");
        assert_eq!(plain("a+b"), "/a+b");
        assert_eq!((plain(""), plain("/%2f/")), ("/".into(), "/".into()));
        assert_eq!((without("/openai/v1", "openai"), without("/openaix/v1", "openai")), (Some("/v1"), None));
        assert_eq!((without("/openai", "openai"), without("/v1", "")), (Some("/"), None));
    }
}
