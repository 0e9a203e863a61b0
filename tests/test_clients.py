"""Clients that people have already, as they come, against `semrec serve` itself."""

import asyncio
import json
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec

import pytest
from pydantic import BaseModel
from redis_server import needs
from serving import Process

WORDS = "a space story, no jungle"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(artifact, tmp_path_factory):
    with Process(artifact, tmp_path_factory.mktemp("clients") / "state") as service:
        yield service


class Film(BaseModel):
    title: str


def package(name):
    needs("clients", find_spec(name.split(".")[0]) is not None)
    return import_module(name)


def test_openai(service):
    openai = package("openai")
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
        message = {"role": "user", "content": WORDS}
        tool = {"type": "function", "function": {"name": "buy", "parameters": {"type": "object"}}}
        first = client.chat.completions.create(model="gpt-5", messages=[message], tools=[tool])
        turn = [message, first.choices[0].message.model_dump(), {**message, "content": "more"}]
        asked = {"model": "semrec", "messages": turn, "stream_options": {"include_usage": True}}
        chunks = list(client.chat.completions.create(**asked, stream=True))
        assert chunks[-1].usage.total_tokens > 0
        with pytest.raises(openai.UnprocessableEntityError, match="no other schema can be filled"):
            client.chat.completions.parse(model="semrec", messages=[message], response_format=Film)
        assert len(client.embeddings.create(model="semrec", input=["a", "b"]).data) == 2


def test_openai_asynchronously(service):
    openai = package("openai")

    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
            asked = {"model": "semrec", "messages": [{"role": "user", "content": WORDS}]}
            return await asyncio.gather(*[client.chat.completions.create(**asked) for _ in "abc"])

    answers = asyncio.run(ask())
    assert len({answer.choices[0].message.content for answer in answers}) == 1


def test_cohere(service):
    cohere = package("cohere")
    documents = ["a wedding", "a heist", ""]
    second = cohere.ClientV2(api_key="none", base_url=service.url)
    asked = {"model": "rerank-v3.5", "query": "heist", "documents": documents}
    found = second.rerank(**asked, top_n=3, max_tokens_per_doc=100)
    assert [one.index for one in found.results] == [1, 0, 2]
    first = cohere.Client(api_key="none", base_url=service.url)
    objects = [{"text": text, "id": text} for text in documents]
    found = first.rerank(query="heist", documents=objects, return_documents=True, top_n=1)
    assert found.results[0].document.text == "a heist"
    with pytest.raises(cohere.UnprocessableEntityError) as caught:
        second.rerank(model="x", query="", documents=documents)
    assert "found no words" in str(caught.value)


@pytest.mark.filterwarnings("ignore")  # it leaves its connections to the garbage collector
def test_langchain(service):
    langchain = package("langchain_openai")
    where = {"base_url": f"{service.url}/v1", "api_key": "none"}
    chat = langchain.ChatOpenAI(model="gpt-4o-mini", temperature=0, **where)
    first = chat.invoke(WORDS)
    assert "“" in first.content
    second = chat.invoke([("system", "Be brief."), ("human", WORDS), first, ("human", "more")])
    assert second.content
    assert "".join(chunk.content for chunk in chat.stream(WORDS)) == first.content
    schema = {"title": "Film", "type": "object", "properties": {"title": {"type": "string"}}}
    offered = chat.bind_tools([{**schema, "description": "a film"}])
    assert offered.invoke(WORDS).content == first.content
    as_json = chat.with_structured_output(method="json_mode", schema=None).invoke(WORDS)
    assert as_json["items"]
    with pytest.raises(Exception, match="no tool is ever called here"):
        chat.with_structured_output(schema, method="function_calling").invoke(WORDS)
    with pytest.raises(Exception, match="no other schema can be filled"):
        chat.with_structured_output(schema, method="json_schema").invoke(WORDS)
    embeddings = langchain.OpenAIEmbeddings(check_embedding_ctx_length=False, **where)
    assert len(embeddings.embed_documents(["a", "b", "c"])) == 3


@pytest.mark.filterwarnings("ignore")
def test_llama_index(service):
    llms = package("llama_index.llms.openai_like")
    embeddings = package("llama_index.embeddings.openai_like")
    where = {"api_base": f"{service.url}/v1", "api_key": "none"}
    llm = llms.OpenAILike(model="semrec", is_chat_model=True, max_retries=0, **where)
    message = package("llama_index.core.llms").ChatMessage(role="user", content=WORDS)
    first = llm.chat([message])
    assert "“" in first.message.content
    assert llm.chat([message, first.message, message]).message.content
    assert list(llm.stream_chat([message]))[-1].message.content == first.message.content
    embedding = embeddings.OpenAILikeEmbedding(model_name="semrec", **where)
    assert len(embedding.get_text_embedding_batch([f"a {n}" for n in range(30)])) == 30


SCRIPT = """
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, streamText, tool } from "ai";
import { z } from "zod";
const where = { name: "semrec", baseURL: process.argv[2], includeUsage: true };
const semrec = createOpenAICompatible(where);
const model = semrec.chatModel("semrec");
const tools = { buy: tool({ description: "buys", inputSchema: z.object({ id: z.string() }) }) };
const messages = [{ role: "user", content: process.argv[3] }];
const first = await generateText({ model, system: "Be brief.", messages, tools, temperature: 0 });
messages.push(...first.response.messages, { role: "user", content: "more" });
const second = streamText({ model, messages });
let streamed = "";
for await (const part of second.textStream) streamed += part;
const usage = await second.usage;
const vectors = await embedMany({ model: semrec.textEmbeddingModel("semrec"), values: ["a", "b"] });
console.log(JSON.stringify({ first: first.text, streamed, usage, n: vectors.embeddings.length }));
"""


def test_vercels_ai_sdk(service, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("node isn't installed")
    packages = ["ai@5", "@ai-sdk/openai-compatible@1", "zod@4"]
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", *packages]
    installed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm doesn't give the packages: {installed.stderr[-200:]}")
    (tmp_path / "talk.mjs").write_text(SCRIPT)
    command = ["node", "talk.mjs", f"{service.url}/v1", WORDS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "“" in said["first"]
    assert said["streamed"]
    assert said["usage"]["outputTokens"] > 0
    assert said["n"] == 2
