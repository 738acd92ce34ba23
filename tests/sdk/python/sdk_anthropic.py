from anthropic import Anthropic

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = Anthropic(base_url=BASE, api_key="none-needed")


def stream(case, model, prompt, **more):
    with client.messages.stream(model=model, max_tokens=4096, messages=[{"role": "user", "content": prompt}], **more) as events:
        final = events.get_final_message()
    text = "".join(block.text for block in final.content if block.type == "text")
    reasoning = "".join(block.thinking for block in final.content if block.type == "thinking")
    tools = [(block.name, block.input) for block in final.content if block.type == "tool_use"]
    say(f"anthropic-messages {case}", text, reasoning, tools, final.usage.input_tokens, final.usage.output_tokens)


stream("text", "lab/steady", PROMPT)
stream("reasoning", "lab/reasoner", PROMPT)
stream("tools", "lab/tools", TOOL_PROMPT, tools=[{"name": "weather", "description": "Tells the weather.", "input_schema": PARAMETERS}])
whole = client.messages.create(model="lab/steady", max_tokens=4096, messages=[{"role": "user", "content": PROMPT}])
say("anthropic-messages whole", whole.content[0].text, "", (), whole.usage.input_tokens, whole.usage.output_tokens)
