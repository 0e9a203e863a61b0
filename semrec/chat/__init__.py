"""Conversations: limits that add up and can be taken back, items that are liked and rejected.

    conversation + message → state update → conversation → query → recommend → reply

Pure Python over a `Recommender`; knows nothing of HTTP. What a conversation keeps is bounded, so
its fiftieth turn costs what its second costs.
"""
