"""What a search of conversations and interactions looks through."""

from promptlib.core.search.index import Index

CONVERSATIONS = Index(
    table="conversation_search",
    source="conversations",
    key="conversation_id",
    columns={"title": "{row}.title", "summary": "{row}.summary"},
    watch={"title": ["title", "summary"], "summary": ["title", "summary"]},
    weights={"title": 4},
)

# What a model is still writing is not searched yet: the row is saved every second while it does.
PROMPTS = Index(
    table="prompt_search",
    source="prompts",
    key="prompt_id",
    columns={"input": "{row}.input_text", "response": "{row}.response_text"},
    watch={"input": ["input_text"], "response": ["response_text"]},
    when="{row}.status NOT IN ('draft', 'pending', 'streaming')",
    weights={"input": 2},
    heads={"input": 500},
)

INDEXES = [CONVERSATIONS, PROMPTS]
TRIGGERS = [trigger for index in INDEXES for trigger in index.triggers()]
