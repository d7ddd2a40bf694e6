/**
 * Text to token ids and back. The work is done by Hugging Face's tokenizers library (through DJL's JNI binding), which reads a
 * checkpoint's {@code tokenizer.json}; a GGUF file's vocabulary is written into such a document in memory. This package adds what that
 * library does not know: the begin-of-sequence rule, the chat template's text, a detokenizer that releases whole characters only.
 *
 * <p>Nothing here reaches the network, and nothing cuts or pads a text.
 */
package org.espalier.tokenizer;
