package org.espalier.tokenizer;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.espalier.tokenizer.SentencePieceBpe.SpacePrefix;

/**
 * Reads a SentencePiece {@code tokenizer.model}: the few fields of <a
 * href="https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto">ModelProto</a> that encoding needs.
 */
final class SentencePieceModel {

    /** TrainerSpec.ModelType. */
    private static final int UNIGRAM = 1;

    private static final int BPE = 2;

    private final String source;
    private final List<String> texts = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private int modelType = UNIGRAM;
    private boolean byteFallback;
    private boolean addsDummyPrefix = true;
    private boolean removesExtraSpaces = true;
    private boolean rewritesCharacters;

    private SentencePieceModel(String source) {
        this.source = source;
    }

    /**
     * @param elsewhere where a space goes if the model asks for one
     * @throws TokenizerException if it is no such model, or of a kind that is not BPE with bytes for unknown characters
     */
    static SentencePieceBpe read(byte[] model, String source, SpacePrefix elsewhere) {
        SentencePieceModel read = new SentencePieceModel(source);
        try {
            read.readModel(CodedInputStream.newInstance(model));
        } catch (IOException | IllegalStateException e) {
            throw new TokenizerException(source + " is not a SentencePiece model (" + e.getMessage()
                    + "): fetch it again from the published checkpoint");
        }
        return read.checked(elsewhere);
    }

    private SentencePieceBpe checked(SpacePrefix elsewhere) {
        if (texts.isEmpty()) {
            throw new TokenizerException(source
                    + " is not a SentencePiece model: it has no pieces; fetch it again from the published checkpoint");
        }
        if (modelType != BPE || !byteFallback || rewritesCharacters || removesExtraSpaces) {
            throw new TokenizerException(
                    source + " is a SentencePiece model with "
                            + (modelType != BPE
                                    ? "scores of another kind than BPE"
                                    : byteFallback ? "a normalization of its own" : "no bytes for unknown characters")
                            + ": make a tokenizer.json of it with transformers (AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR))");
        }
        float[] all = new float[scores.size()];
        for (int id = 0; id < all.length; id++) {
            all[id] = scores.get(id);
        }
        TokenTable tokens =
                new TokenTable(texts, types.stream().mapToInt(Integer::intValue).toArray());
        return new SentencePieceBpe(tokens, all, addsDummyPrefix ? elsewhere : SpacePrefix.NEVER, source);
    }

    private void readModel(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> readMessage(in, tag, this::readPiece);
                case 2 -> readMessage(in, tag, this::readTrainer);
                case 3 -> readMessage(in, tag, this::readNormalizer);
                default -> in.skipField(tag);
            }
        }
    }

    private void readPiece(CodedInputStream in) throws IOException {
        String text = "";
        float score = 0;
        int type = TokenTable.NORMAL;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> text = in.readStringRequireUtf8();
                case 2 << 3 | WireFormat.WIRETYPE_FIXED32 -> score = in.readFloat();
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> type = in.readEnum();
                default -> in.skipField(tag);
            }
        }
        texts.add(text);
        scores.add(score);
        types.add(type);
    }

    private void readTrainer(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> modelType = in.readEnum();
                case 35 << 3 | WireFormat.WIRETYPE_VARINT -> byteFallback = in.readBool();
                default -> in.skipField(tag);
            }
        }
    }

    private void readNormalizer(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
                    rewritesCharacters = in.readByteArray().length > 0;
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> addsDummyPrefix = in.readBool();
                case 4 << 3 | WireFormat.WIRETYPE_VARINT -> removesExtraSpaces = in.readBool();
                default -> in.skipField(tag);
            }
        }
    }

    @FunctionalInterface
    private interface Reader {
        void read(CodedInputStream in) throws IOException;
    }

    private void readMessage(CodedInputStream in, int tag, Reader reader) throws IOException {
        if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
            throw new IOException("field " + WireFormat.getTagFieldNumber(tag) + " is not a message");
        }
        int outer = in.pushLimit(in.readRawVarint32());
        reader.read(in);
        in.checkLastTagWas(0);
        in.popLimit(outer);
    }
}
