import json

from openai import OpenAI

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = OpenAI(base_url=f"{BASE}/v1", websocket_base_url=f"{BASE.replace('http', 'ws', 1)}/v1", api_key="none-needed")


def turn(case, model, prompt, tools=()):
    text = ""
    with client.realtime.connect(model=model) as connection:
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"], "tools": list(tools)})
        content = [{"type": "input_text", "text": prompt}]
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        connection.response.create()
        for event in connection:
            if event.type == "error":
                raise RuntimeError(event.error)
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.done":
                break
    response = event.response
    calls = [(item.name, json.loads(item.arguments)) for item in response.output if item.type == "function_call"]
    say(f"openai-realtime {case}", text, "", calls, response.usage.input_tokens, response.usage.output_tokens)


turn("text", "lab/steady", PROMPT)
turn("tools", "lab/tools", TOOL_PROMPT, [{"type": "function", "name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}])
