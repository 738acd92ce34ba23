import json

from mistralai.client import Mistral

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = Mistral(api_key="none-needed", server_url=f"{BASE}/mistral")


def stream(case, model, prompt, **more):
    text = ""
    usage = None
    calls = {}
    for event in client.chat.stream(model=model, messages=[{"role": "user", "content": prompt}], **more):
        usage = event.data.usage or usage
        for choice in event.data.choices:
            text += choice.delta.content if isinstance(choice.delta.content, str) else ""
            for call in choice.delta.tool_calls or []:
                known = calls.setdefault(call.index, ["", ""])
                known[0] += call.function.name or ""
                known[1] += call.function.arguments if isinstance(call.function.arguments, str) else json.dumps(call.function.arguments)
    tools = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    say(f"mistral {case}", text, "", tools, usage and usage.prompt_tokens, usage and usage.completion_tokens)


stream("text", "lab/steady", PROMPT)
stream("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}}])
