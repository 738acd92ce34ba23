import json

from cohere import ClientV2

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = ClientV2(api_key="none-needed", base_url=BASE)


def stream(case, model, prompt, **more):
    text = reasoning = ""
    usage = None
    calls = []
    for event in client.chat_stream(model=model, messages=[{"role": "user", "content": prompt}], **more):
        if event.type == "content-delta":
            content = event.delta.message.content
            text += content.text or ""
            reasoning += getattr(content, "thinking", None) or ""
        elif event.type == "tool-call-start":
            call = event.delta.message.tool_calls
            calls.append([call.function.name, call.function.arguments or ""])
        elif event.type == "tool-call-delta":
            calls[-1][1] += event.delta.message.tool_calls.function.arguments or ""
        elif event.type == "message-end":
            usage = event.delta.usage.tokens
    tools = [(name, json.loads(arguments)) for name, arguments in calls]
    say(f"cohere {case}", text, reasoning, tools, usage.input_tokens, usage.output_tokens)


stream("text", "lab/steady", PROMPT)
stream("reasoning", "lab/reasoner", PROMPT)
stream("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}}])
