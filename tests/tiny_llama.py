"""A language model of three tiny layers, untrained, and a tokenizer: a byte is a token."""

import torch


def tokens_of_bytes(text):
    return [byte % 250 + 3 for byte in text.strip().encode("utf-8", "replace")]


def tiny_language_model(seed=0):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=256,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4_096,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()
