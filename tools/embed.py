"""Bytes as C arrays, for what is built into the program."""


def array(name, data):
    """A C definition of `name`[] and `name`_len holding the bytes, NUL-terminated behind its end."""
    rows = []
    padded = data + b"\0"
    for at in range(0, len(padded), 24):
        rows.append("    " + ",".join(str(byte) for byte in padded[at : at + 24]) + ",")
    body = "\n".join(rows)
    return f"const unsigned char {name}[] = {{\n{body}\n}};\nconst size_t {name}_len = {len(data)};\n"


def string(text):
    """A C string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
