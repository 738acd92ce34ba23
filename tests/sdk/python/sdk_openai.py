import json

from openai import OpenAI

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = OpenAI(base_url=f"{BASE}/v1", api_key="none-needed")
function = {"name": "weather", "description": "Tells the weather.", "parameters": PARAMETERS}


def chat(case, model, prompt, **more):
    text = reasoning = ""
    usage = None
    calls = {}
    messages = [{"role": "user", "content": prompt}]
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}, **more
    )
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            for call in choice.delta.tool_calls or []:
                known = calls.setdefault(call.index, ["", ""])
                known[0] += call.function.name or ""
                known[1] += call.function.arguments or ""
    tools = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    say(f"openai-chat {case}", text, reasoning, tools, usage.prompt_tokens, usage.completion_tokens)


def responses(case, model, prompt, **more):
    with client.responses.stream(model=model, input=prompt, **more) as stream:
        reasoning = "".join(e.delta for e in stream if e.type in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"))
        final = stream.get_final_response()
    tools = [(item.name, json.loads(item.arguments)) for item in final.output if item.type == "function_call"]
    say(f"openai-responses {case}", final.output_text, reasoning, tools, final.usage.input_tokens, final.usage.output_tokens)


chat("text", "lab/steady", PROMPT)
chat("reasoning", "lab/reasoner", PROMPT)
chat("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", "function": function}])
whole = client.chat.completions.create(model="lab/steady", messages=[{"role": "user", "content": PROMPT}])
say("openai-chat whole", whole.choices[0].message.content, "", (), whole.usage.prompt_tokens, whole.usage.completion_tokens)
responses("text", "lab/steady", PROMPT)
responses("reasoning", "lab/reasoner", PROMPT)
responses("tools", "lab/tools", TOOL_PROMPT, tools=[{"type": "function", **function}])
