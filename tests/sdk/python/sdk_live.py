import asyncio

from google import genai
from google.genai import types

from common import BASE_TLS, PARAMETERS, PROMPT, TOOL_PROMPT, say

client = genai.Client(api_key="none-needed", http_options=types.HttpOptions(base_url=BASE_TLS))
weather = types.FunctionDeclaration(name="weather", description="Tells the weather.", parameters_json_schema=PARAMETERS)


async def turn(case, model, prompt, tools=None):
    text, calls, usage = "", [], None
    config = types.LiveConnectConfig(response_modalities=["TEXT"], tools=tools)
    async with client.aio.live.connect(model=model, config=config) as session:
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text=prompt)]), turn_complete=True)
        async for message in session.receive():
            usage = message.usage_metadata or usage
            content = message.server_content
            for part in (content and content.model_turn and content.model_turn.parts) or []:
                text += part.text or ""
            for call in (message.tool_call and message.tool_call.function_calls) or []:
                calls.append((call.name, dict(call.args)))
            if calls:
                # The turn goes on when the calls are answered.
                break
    output = (usage.response_token_count or 0) + (usage.thoughts_token_count or 0)
    say(f"gemini-live {case}", text, "", calls, usage.prompt_token_count, output)


asyncio.run(turn("text", "lab/steady", PROMPT))
asyncio.run(turn("tools", "lab/tools", TOOL_PROMPT, [types.Tool(function_declarations=[weather])]))
