import json

import dashscope
from dashscope import Generation

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

dashscope.base_http_api_url = f"{BASE}/dashscope/api/v1"


def stream(case, model, prompt, **more):
    text = reasoning = ""
    calls = {}
    usage = None
    messages = [{"role": "user", "content": prompt}]
    replies = Generation.call(
        model=model, messages=messages, api_key="none-needed", result_format="message", stream=True, incremental_output=True, **more
    )
    for reply in replies:
        if reply.status_code != 200:
            raise RuntimeError(f"{reply.code}: {reply.message}")
        usage = reply.usage or usage
        message = reply.output.choices[0].message
        text += message.get("content") or ""
        reasoning += message.get("reasoning_content") or ""
        for call in message.get("tool_calls") or []:
            known = calls.setdefault(call.get("index", 0), ["", ""])
            known[0] = call["function"].get("name") or known[0]
            known[1] += call["function"].get("arguments") or ""
    tools = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    say(f"dashscope {case}", text, reasoning, tools, usage.input_tokens, usage.output_tokens)


function = {"name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}
stream("text", "lab/steady", PROMPT)
stream("reasoning", "lab/reasoner", PROMPT, enable_thinking=True)
stream("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", "function": function}])
