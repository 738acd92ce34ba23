"""What every script of this folder says of a reply: one JSON object a line, read by tests/sdk/mod.rs."""

import json
import sys

BASE = sys.argv[1]
# The same server over TLS, for SDKs that speak to wss alone; SSL_CERT_FILE holds its certificate.
BASE_TLS = sys.argv[2]
PROMPT = "Tell me about rivers and weirs, please."
TOOL_PROMPT = "What is the weather in Paris for 3 days?"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}


def say(case, text="", reasoning="", tools=(), input=None, output=None):
    """Tells what the SDK made of one reply; `tools` are pairs of a name and arguments as an object."""
    print(json.dumps({"case": case, "text": text, "reasoning": reasoning, "tools": [list(t) for t in tools], "input": input, "output": output}))
