from ollama import Client

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = Client(host=BASE)


def stream(case, model, prompt, **more):
    text = reasoning = ""
    tools = []
    last = None
    for part in client.chat(model=model, messages=[{"role": "user", "content": prompt}], stream=True, **more):
        last = part
        text += part.message.content or ""
        reasoning += part.message.thinking or ""
        tools += [(call.function.name, dict(call.function.arguments)) for call in part.message.tool_calls or []]
    say(f"ollama {case}", text, reasoning, tools, last.prompt_eval_count, last.eval_count)


stream("text", "lab/steady", PROMPT)
stream("reasoning", "lab/reasoner", PROMPT, think=True)
function = {"name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}
stream("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", "function": function}])
whole = client.chat(model="lab/steady", messages=[{"role": "user", "content": PROMPT}])
say("ollama whole", whole.message.content, "", (), whole.prompt_eval_count, whole.eval_count)
