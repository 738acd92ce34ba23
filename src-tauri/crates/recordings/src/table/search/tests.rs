use crate::{Finished, Library, NewSession, Query};

fn library() -> Library {
    let library = Library::in_memory().unwrap();
    for (title, prompt, reply, reasoning) in [
        ("Chinese", "大模型是怎样训练的?", "GPT模型由很多层组成。", ""),
        ("Streaming", "How does streaming work?", "Server-sent events say \"data: hello\".", "The user asks about SSE"),
        ("日本語", "東京タワーはどこですか", "パリではなくて東京です", "Café naïve"),
        ("Arrows", "a -> b OR c", "🎉 party", "100% sure_thing"),
    ] {
        let new = NewSession { title: title.into(), prompt: prompt.into(), ..NewSession::default() };
        let done = Finished { reply: reply.into(), reasoning: reasoning.into(), ..Finished::default() };
        library.create(new).unwrap().finish(done).unwrap();
    }
    library
}

#[track_caller]
fn finds(library: &Library, text: &str, titles: &[&str]) {
    let page = library.list(&Query { text: text.into(), ..Query::default() }).unwrap();
    let mut found: Vec<_> = page.rows.into_iter().map(|row| row.title).collect();
    found.sort();
    let mut titles = titles.to_vec();
    titles.sort_unstable();
    assert_eq!(found, titles, "{text:?}");
    assert_eq!(page.total, titles.len() as u64);
}

#[test]
fn chinese_and_japanese_are_found_by_any_part() {
    let library = library();
    finds(&library, "模型", &["Chinese"]);
    finds(&library, "型", &["Chinese"]);
    finds(&library, "GPT模型", &["Chinese"]);
    finds(&library, "型模", &[]);
    finds(&library, "東京", &["日本語"]);
    finds(&library, "タワー", &["日本語"]);
    finds(&library, "日本", &["日本語"]);
}

#[test]
fn english_is_found_by_words_and_the_beginning_of_the_last() {
    let library = library();
    finds(&library, "HELLO", &["Streaming"]);
    finds(&library, "server events", &["Streaming"]);
    finds(&library, "stream", &["Streaming"]);
    finds(&library, "stream work", &[]);
    finds(&library, "events nothing", &[]);
    finds(&library, "asks sse", &["Streaming"]);
    finds(&library, "cafe", &["日本語"]);
}

#[test]
fn quotes_and_operators_are_literal() {
    let library = library();
    finds(&library, "\"", &["Streaming"]);
    finds(&library, "\"data: hello\"", &["Streaming"]);
    finds(&library, "streaming OR party", &[]);
    finds(&library, "b OR c", &["Arrows"]);
    finds(&library, "NOT party", &[]);
    finds(&library, "prompt:streaming", &[]);
    finds(&library, "->", &["Arrows"]);
    finds(&library, "🎉", &["Arrows"]);
    finds(&library, "%", &["Arrows"]);
    for nasty in ["*", "(", "a)", "^x", "{a b}:c", "NEAR(a b)", "'; DROP TABLE session; --", "\0", "a\0b", "+", "- -"] {
        library.list(&Query { text: nasty.into(), ..Query::default() }).unwrap();
    }
    finds(&library, "  ", &["Chinese", "Streaming", "日本語", "Arrows"]);
}

#[test]
fn a_new_title_is_found_and_the_old_one_is_not() {
    let library = library();
    let id = library.list(&Query { text: "party".into(), ..Query::default() }).unwrap().rows[0].id.clone();
    library.rename(&id, "Festivity").unwrap();
    finds(&library, "festivity", &["Festivity"]);
    finds(&library, "arrows", &[]);
    finds(&library, "party", &["Festivity"]);
}

#[test]
fn a_session_is_found_by_its_prompt_while_it_is_recorded() {
    let library = library();
    let new = NewSession { title: "Live".into(), prompt: "unfinished business".into(), ..NewSession::default() };
    let _recorder = library.create(new).unwrap();
    finds(&library, "busi", &["Live"]);
}
