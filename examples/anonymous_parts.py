"""A message as five parts: each alone is noise, all together are the message.

Whoever hands out parts is seen to do so. Members of a group hand out nothing: in
every run each publishes one part, with something to say or not.
"""

from quorate.anonymous import combine, split


def five_parts(message: str) -> tuple[list[bytes], str]:
    parts = split(message.encode(), 5)
    return parts, combine(parts).decode()


if __name__ == "__main__":
    parts, whole = five_parts("This course is boring")
    for i, part in enumerate(parts, start=1):
        print(f"M{i}  {part.hex()}")
    print(f"sum {whole}")
