"""A small service around a live book: one writer, several workers that answer, a page that shows it.

``python -m service`` in the folder ``examples`` starts it. `market` is what is watched, `writer` owns the
live book, `keeping` lets it go on after a kill, `worker` answers over HTTP, `answers` is what it answers,
`outbox` the bounded queue between those who tell and those who listen, `web` the HTTP, `load` a load test.
"""
