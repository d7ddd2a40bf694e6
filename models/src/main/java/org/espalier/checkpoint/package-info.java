/**
 * Model files on disk. Whatever the layout (Hugging Face safetensors, MLX, GGUF), a {@link org.espalier.checkpoint.Checkpoint}
 * answers by the tensor names of the published Hugging Face checkpoint and says where the bytes lie; it never reads weights.
 */
package org.espalier.checkpoint;
