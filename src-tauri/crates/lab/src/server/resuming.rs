//! Replies that outlive their connection, over real sockets: what is heard again, from where, and what is not there any more.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::tests::{http_client, lab, until};
use crate::connections::{Side, State};

/// Data of the events of a stream, with their ids.
fn events(body: &str) -> Vec<(Option<String>, String)> {
    let field = |block: &str, name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()));
    let blocks = body.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks.map(|block| (field(block, "id:"), field(block, "data:").unwrap_or_default())).collect()
}

fn json_of(events: &[(Option<String>, String)]) -> Vec<Value> {
    events.iter().filter_map(|(_, data)| serde_json::from_str(data).ok()).collect()
}

#[tokio::test]
async fn a_background_response_is_heard_again_from_any_number_on() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let url = lab.url() + "/v1/responses";
    let body = json!({"model": "lab/steady", "input": "Why?", "background": true, "stream": true});
    let whole = client.post(&url).header("x-lab-tokens", "8").json(&body).send().await.unwrap().text().await.unwrap();
    let all = json_of(&events(&whole));
    assert_eq!(all[0]["response"]["background"], true);
    let id = all[0]["response"]["id"].as_str().unwrap();
    for after in [0, 5] {
        let again = client.get(format!("{url}/{id}?stream=true&starting_after={after}")).send().await.unwrap().text().await.unwrap();
        assert_eq!(json_of(&events(&again)), all[after + 1..], "after {after}");
    }
    let from_start = client.get(format!("{url}/{id}?stream=true")).send().await.unwrap().text().await.unwrap();
    assert_eq!(from_start, whole);
    let state: Value = client.get(format!("{url}/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state, all.last().unwrap()["response"]);
    for wrong in [format!("{url}/resp_none?stream=true"), format!("{url}/{id}?stream=true&starting_after=x")] {
        assert!(client.get(&wrong).send().await.unwrap().status().is_client_error(), "{wrong}");
    }
    // Without being stored there is nothing to come back to; without background nothing is kept.
    let unstored = json!({"model": "lab/steady", "input": "Why?", "background": true, "store": false});
    assert_eq!(client.post(&url).json(&unstored).send().await.unwrap().status(), 400);
    let plain: Value =
        client.post(&url).json(&json!({"model": "lab/steady", "input": "Why not?"})).send().await.unwrap().json().await.unwrap();
    let gone = client.get(format!("{url}/{}", plain["id"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn a_background_response_goes_on_alone_until_it_is_cancelled() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let url = lab.url() + "/v1/responses";
    let body = json!({"model": "lab/steady", "input": "Why?", "background": true});
    let slow = |body: &Value| client.post(&url).header("x-lab-rate", "20").header("x-lab-tokens", "2000").json(body).send();
    let queued: Value = slow(&body).await.unwrap().json().await.unwrap();
    assert_eq!((&queued["status"], &queued["background"]), (&json!("queued"), &json!(true)));
    let id = queued["id"].as_str().unwrap();
    let state: Value = client.get(format!("{url}/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["status"], "in_progress");
    let cancelled: Value = client.post(format!("{url}/{id}/cancel")).send().await.unwrap().json().await.unwrap();
    assert_eq!(cancelled["status"], "cancelled");
    // The stream ends with it, a hundred seconds early.
    let rest = client.get(format!("{url}/{id}?stream=true")).send().await.unwrap().text().await.unwrap();
    assert!(json_of(&events(&rest)).iter().all(|event| event["type"] != "response.completed"));
    assert_eq!(client.get(format!("{url}/{id}/cancel")).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_chat_is_replayed_while_it_lasts_and_an_mcp_stream_from_its_last_event() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let url = lab.url() + "/ai-sdk-ui/api/chat";
    let body = json!({"id": "c 1", "messages": [{"role": "user", "parts": [{"type": "text", "text": "Why?"}]}]});
    let whole = client.post(&url).header("x-lab-rate", "50").header("x-lab-tokens", "25").json(&body).send().await.unwrap();
    // The reply is under way: a second reader hears all of it from its start.
    let again = client.get(format!("{url}/c%201/stream")).send().await.unwrap();
    assert_eq!(again.headers()["x-vercel-ai-ui-message-stream"], "v1");
    assert_eq!(again.text().await.unwrap(), whole.text().await.unwrap());
    for over in ["c%201", "none"] {
        assert_eq!(client.get(format!("{url}/{over}/stream")).send().await.unwrap().status(), 204, "{over}");
    }

    let url = lab.url() + "/mcp";
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "ask", "arguments": {"prompt": "Why?"}, "_meta": {"progressToken": "p"}}});
    let request = client.post(&url).header("mcp-protocol-version", "2025-11-25").header("x-lab-tokens", "6");
    let all = events(&request.json(&call).send().await.unwrap().text().await.unwrap());
    let ids: Vec<_> = all.iter().map(|(id, _)| id.clone().unwrap()).collect();
    assert_eq!((all.len(), all[0].1.as_str()), (8, ""), "a place to resume from, six words, the answer");
    let resumed = client.get(&url).header("last-event-id", &ids[3]).send().await.unwrap();
    assert_eq!(events(&resumed.text().await.unwrap()), all[4..]);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405, "the Lab has no messages of its own");
    assert_eq!(client.get(&url).header("last-event-id", "x-1").send().await.unwrap().status(), 404);
}

/// Leaving means the opposite before and after: up to 2025-11-25 a break, from 2026-07-28 on a cancel.
#[tokio::test]
async fn leaving_an_mcp_stream_cancels_the_call_in_the_stateless_revision_alone() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let url = lab.url() + "/mcp";
    // Reads until words have come, then leaves.
    let leave = async |revision: &str, meta: Value| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "ask", "arguments": {"prompt": "Why?"}, "_meta": meta}});
        let request =
            client.post(&url).header("mcp-protocol-version", revision).header("mcp-method", "tools/call").header("mcp-name", "ask");
        let mut response = request.header("x-lab-rate", "50").header("x-lab-tokens", "25").json(&call).send().await.unwrap();
        let mut heard = String::new();
        while heard.matches("notifications/progress").count() < 3 {
            heard.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
        }
        heard
    };
    let gone = || lab.connections().rows.iter().filter(|row| row.state == State::Dropped { by: Side::Client }).count();
    let heard = leave("2026-07-28", json!({"progressToken": "p", "io.modelcontextprotocol/protocolVersion": "2026-07-28"})).await;
    assert!(!heard.contains("id:"), "nothing to resume from: {heard}");
    until("the call is over with its stream", || gone() == 1).await;
    let heard = leave("2025-11-25", json!({"progressToken": "p"})).await;
    let last = events(&heard).iter().rev().find_map(|(id, _)| id.clone()).unwrap();
    let rest = client.get(&url).header("last-event-id", last).send().await.unwrap().text().await.unwrap();
    let answer = json_of(&events(&rest)).pop().unwrap();
    assert!(answer["result"]["content"][0]["text"].is_string(), "it went on without its reader: {answer}");
}

#[tokio::test]
async fn a_live_session_goes_on_with_its_handle_and_with_no_other() {
    use futures_util::{SinkExt, StreamExt};
    let lab = lab().await;
    let path = "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    let set_up = async |resumption: Value| {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}{path}", lab.address())).await.unwrap();
        let setup = json!({"setup": {"model": "models/lab/steady", "generationConfig": {"responseModalities": ["TEXT"]}, "sessionResumption": resumption}});
        socket.send(Message::text(setup.to_string())).await.unwrap();
        socket
    };
    let said = |message: Message| serde_json::from_slice::<Value>(&message.into_data()).unwrap();
    let mut first = set_up(json!({})).await;
    assert!(said(first.next().await.unwrap().unwrap())["setupComplete"].is_object());
    let fresh = said(first.next().await.unwrap().unwrap())["sessionResumptionUpdate"].clone();
    assert_eq!(fresh["resumable"], true);
    let turn = json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Why?"}]}], "turnComplete": true}});
    first.send(Message::text(turn.to_string())).await.unwrap();
    assert_eq!(said(first.next().await.unwrap().unwrap())["sessionResumptionUpdate"]["resumable"], false, "not while it speaks");
    let later = loop {
        let message = said(first.next().await.unwrap().unwrap());
        if message["sessionResumptionUpdate"]["resumable"] == true {
            break message["sessionResumptionUpdate"]["newHandle"].clone();
        }
    };
    assert_ne!(later, fresh["newHandle"], "the turn is part of it now");
    let mut second = set_up(json!({"handle": later})).await;
    assert!(said(second.next().await.unwrap().unwrap())["setupComplete"].is_object());
    assert_eq!(said(second.next().await.unwrap().unwrap())["sessionResumptionUpdate"]["newHandle"], later, "nothing was said since");
    let mut wrong = set_up(json!({"handle": "lost"})).await;
    assert!(matches!(wrong.next().await, Some(Ok(Message::Close(Some(close)))) if u16::from(close.code) == 1008));
}
