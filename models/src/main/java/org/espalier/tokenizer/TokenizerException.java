package org.espalier.tokenizer;

import org.espalier.EspalierException;

/** A tokenizer is missing, damaged or of a kind that is not supported; the message names the file or key. */
public final class TokenizerException extends EspalierException {
    public TokenizerException(String message) {
        super(message);
    }

    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
