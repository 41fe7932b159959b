"""The same weights as Q4_0, as `llama-quantize --allow-requantize` writes them where rows are no multiple of 256 columns: what
is Q4_1 becomes Q4_0, norms stay F32, and the embedding, which is the output matrix too, stays Q8_0."""
import gguf
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize, quantize

# Made by the writer itself.
OWN = ("GGUF.", "general.architecture", "general.file_type")


def requantize(source, target):
    """Writes `target` unless it is there; gives its path."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        write(GGUFReader(source), part)
        part.rename(target)
    return target


def write(reader, path):
    writer = GGUFWriter(path, reader.fields["general.architecture"].contents())
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    for name, field in reader.fields.items():
        if not name.startswith(OWN):
            kind = field.types[0]
            writer.add_key_value(name, field.contents(), kind, field.types[-1] if kind == GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        add(writer, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add(writer, tensor):
    if tensor.tensor_type == GGMLQuantizationType.Q4_1:
        weights = dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, quantize(weights, GGMLQuantizationType.Q4_0), raw_dtype=GGMLQuantizationType.Q4_0)
    else:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
