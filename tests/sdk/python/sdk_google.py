from google import genai
from google.genai import types

from common import BASE, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = genai.Client(api_key="none-needed", http_options=types.HttpOptions(base_url=BASE))


def parts(responses):
    text = reasoning = ""
    tools = []
    usage = None
    for response in responses:
        usage = response.usage_metadata or usage
        for candidate in response.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                if part.function_call:
                    tools.append((part.function_call.name, dict(part.function_call.args)))
                elif part.thought:
                    reasoning += part.text or ""
                else:
                    text += part.text or ""
    thought = usage.thoughts_token_count or 0
    return text, reasoning, tools, usage.prompt_token_count, (usage.candidates_token_count or 0) + thought


def stream(case, model, prompt, config=None):
    say(f"gemini {case}", *parts(client.models.generate_content_stream(model=model, contents=prompt, config=config)))


weather = types.FunctionDeclaration(name="weather", description="Tells the weather.", parameters_json_schema=PARAMETERS)
stream("text", "lab/steady", PROMPT)
stream("reasoning", "lab/reasoner", PROMPT, types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True)))
stream("tools", "lab/tools", TOOL_PROMPT, types.GenerateContentConfig(tools=[types.Tool(function_declarations=[weather])]))
say("gemini whole", *parts([client.models.generate_content(model="lab/steady", contents=PROMPT)]))
