/**
 * Text to token ids and back. The work is done by Hugging Face's tokenizers library (through DJL's JNI binding), which reads a
 * checkpoint's {@code tokenizer.json}; vocabularies of GGUF files, of SentencePiece and of tiktoken are written into such a document in
 * memory. This package adds what that library does not know: the begin-of-sequence rule, the chat template's text, a detokenizer that
 * releases whole characters only. The library ends the process on input that it did not expect, so {@link
 * org.espalier.tokenizer.TokenizerSteps} looks at a document first.
 *
 * <p>Nothing here reaches the network, and nothing cuts or pads a text.
 */
package org.espalier.tokenizer;
