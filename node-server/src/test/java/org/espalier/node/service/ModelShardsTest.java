package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.EngineOptions;
import org.espalier.model.ModelIdentity;
import org.espalier.node.ring.StageShard;
import org.espalier.node.shard.Engines;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelShardsTest {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");
    private static final ModelIdentity LLAMA = ModelIdentity.of(MODELS.resolve("llama-tiny/hf"));

    private static ShardLoader.Order order(ModelIdentity model, int layers) {
        return new ShardLoader.Order("mini-3", model, Member.alone(new LayerRange(0, 2, layers)), "", "fast");
    }

    @Test
    void loadsLayersOfAModel() {
        List<Long> progress = new ArrayList<>();
        try (ModelShards shards = new ModelShards(List.of())) {
            StageShard shard = shards.load(order(LLAMA, 3), (done, total) -> progress.add(done), new Cancel());
            assertThat(shard.engine()).isEqualTo(shards.engines().get(0).getName());
            assertThat(shard.context()).isEqualTo(2048);
            assertThat(shard.vocabulary()).isEqualTo(264);
            assertThat(shard.program().residentBytes()).isPositive();
            assertThat(progress).contains(shard.program().residentBytes());
            assertThat(shard.text().add('h')).isEqualTo("h");
            shard.close();
            assertThatThrownBy(shard::text).hasMessageContaining("is closed");
        }
    }

    /** What is mapped of a file that was cut short is gone for good, also once the file is whole again. */
    @Test
    void aShardIsCurrentWhileItsFilesAreTheSame(@TempDir Path folder) throws Exception {
        Path weights = folder.resolve("model.safetensors");
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(MODELS.resolve("llama-tiny/hf").resolve(file), folder.resolve(file));
        }
        byte[] whole = Files.readAllBytes(weights);
        try (ModelShards shards = new ModelShards(List.of())) {
            StageShard shard = shards.load(order(ModelIdentity.of(folder), 3), (done, total) -> {}, new Cancel());
            assertThat(shards.isCurrent(shard)).isTrue();
            Files.write(weights, Arrays.copyOf(whole, whole.length / 2));
            assertThat(shards.isCurrent(shard)).isFalse();
            Files.delete(weights);
            assertThat(shards.isCurrent(shard)).isFalse();
            Files.write(weights, whole);
            assertThat(shards.isCurrent(shard)).isFalse();
            shard.close();
        }
    }

    /** A shard that stays loaded serves texts as soon as the files are right. */
    @Test
    void aTokenizerThatCannotBeReadIsSoUntilItIsMended(@TempDir Path folder) throws Exception {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(MODELS.resolve("llama-tiny/hf").resolve(file), folder.resolve(file));
        }
        Path tokenizer = folder.resolve("tokenizer.json");
        byte[] whole = Files.readAllBytes(MODELS.resolve("llama-tiny/hf/tokenizer.json"));
        try (ModelShards shards = new ModelShards(List.of())) {
            StageShard shard = shards.load(order(ModelIdentity.of(folder), 3), (done, total) -> {}, new Cancel());
            assertThatThrownBy(shard::text)
                    .hasMessageMatching("model .* has no tokenizer, so it cannot look for stop texts: leave them out");
            Files.createDirectory(tokenizer);
            assertThatThrownBy(shard::text)
                    .hasMessageStartingWith("cannot read the tokenizer of " + folder + ": it is a folder, expected");
            Files.delete(tokenizer);
            Files.write(tokenizer, Arrays.copyOf(whole, whole.length / 2));
            assertThatThrownBy(shard::text)
                    .isInstanceOf(EspalierException.class)
                    .hasMessageContaining(tokenizer + " is not readable JSON");
            try (RandomAccessFile file = new RandomAccessFile(tokenizer.toFile(), "rw")) {
                file.setLength((64 << 20) + 1);
            }
            assertThatThrownBy(shard::text)
                    .hasMessageStartingWith("cannot read the tokenizer of " + folder
                            + ": it has 67108865 bytes, expected at most 67108864");
            Files.write(tokenizer, whole);
            assertThat(shard.text().add('h')).isEqualTo("h");
            shard.close();
        }
    }

    @Test
    void saysHowMuchMemoryIsMissing() {
        try (ModelShards shards = new ModelShards(List.of(), () -> 1000)) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel()))
                    .isInstanceOf(EspalierException.class)
                    .hasMessageMatching(
                            "node mini-3 has 0\\.0 GB free, the shard needs 0\\.0 GB; split the model over more nodes, or"
                                    + " close other programs");
        }
    }

    /** Layers 0 and 1 of three: their weights, the embedding, and KV state of 2 x 2 heads of 32 for the 2048 tokens of the context. */
    @Test
    void roomForAConversationIsPartOfTheNeed() {
        long layer = 2L * (128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64 + 2 * 64);
        long need = 2 * layer + 2L * 264 * 64 + 2 * 4L * 2 * 2 * 32 * 2048;
        try (ModelShards shards = new ModelShards(List.of(), () -> need)) {
            shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel()).close();
        }
        try (ModelShards shards = new ModelShards(List.of(), () -> need - 1)) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel()))
                    .hasMessageContaining("the shard needs 0.0 GB");
        }
    }

    /** 256 rows where a quarter of what is free beside the shard does not hold what a step of 512 keeps. */
    @Test
    void stepsHaveAsManyRowsAsThereIsRoomFor() {
        long layer = 2L * (128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64 + 2 * 64);
        long need = 2 * layer + 2L * 264 * 64 + 2 * 4L * 2 * 2 * 32 * 2048;
        long kept;
        try (ShardLoaded all = new ShardLoaded(Long.MAX_VALUE)) {
            assertThat(all.shard.stepRows()).isEqualTo(512);
            kept = 512 * 4 * all.shard.program().program().plan().stepValuesPerRow();
        }
        try (ShardLoaded enough = new ShardLoaded(need + 4 * kept)) {
            assertThat(enough.shard.stepRows()).isEqualTo(512);
        }
        try (ShardLoaded less = new ShardLoaded(need + 4 * kept - 1)) {
            assertThat(less.shard.stepRows()).isEqualTo(256);
        }
    }

    /** Layers 0 and 1 of three, where so much is free. */
    private static final class ShardLoaded implements AutoCloseable {
        private final ModelShards shards;
        private final StageShard shard;

        private ShardLoaded(long free) {
            shards = new ModelShards(List.of(), () -> free);
            shard = shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel());
        }

        @Override
        public void close() {
            shard.close();
            shards.close();
        }
    }

    /** Two layers of one model: 512 bytes a row and layer, 2,048 rows a conversation. */
    @Test
    void deploymentsShareTheMemoryForKvCaches() {
        long conversation = 2L * 2 * 2 * 32 * 4 * 2048;
        EngineOptions loads = EngineOptions.FLOAT32.withKv(EngineOptions.KvType.F32, 5 * conversation);
        try (ModelShards shards = new ModelShards(List.of(), new Engines("reference"), loads, () -> Long.MAX_VALUE)) {
            StageShard first = float32(shards);
            assertThat(first.program().kvRows()).isEqualTo(5 * 1024);
            StageShard second = float32(shards);
            assertThat(second.program().kvRows()).isEqualTo(5 * 512);
            StageShard third = float32(shards);
            assertThat(third.program().kvRows()).isEqualTo(2048); // a conversation
            StageShard fourth = float32(shards);
            assertThat(fourth.program().kvRows()).isEqualTo(512); // the rest
            assertThatThrownBy(() -> float32(shards))
                    .isInstanceOf(EspalierException.class)
                    .hasMessageMatching(
                            "node mini-3 has promised all of its 0\\.0 GB for KV caches to other deployments;.*");
            third.close();
            StageShard fifth = float32(shards);
            assertThat(fifth.program().kvRows()).isEqualTo(2048);
            List.of(first, second, fourth, fifth).forEach(StageShard::close);
        }
    }

    private static StageShard float32(ModelShards shards) {
        ShardLoader.Order order =
                new ShardLoader.Order("mini-3", LLAMA, Member.alone(new LayerRange(0, 2, 3)), "", "float32");
        return shards.load(order, (done, total) -> {}, new Cancel());
    }

    @Test
    void noticesAnotherModelOfTheSameName() {
        try (ModelShards shards = new ModelShards(List.of())) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 5), (done, total) -> {}, new Cancel()))
                    .isInstanceOf(EspalierException.class)
                    .hasMessageContaining(
                            "node mini-3 finds 3 layers in " + LLAMA.path() + ", but the placement is for 5");
        }
    }

    @Test
    void readsModelsBelowItsRootsOnly(@TempDir Path elsewhere) {
        try (ModelShards shards = new ModelShards(List.of(MODELS))) {
            shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel()).close();
        }
        try (ModelShards shards = new ModelShards(List.of(elsewhere))) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 3), (done, total) -> {}, new Cancel()))
                    .isInstanceOf(EspalierException.class)
                    .hasMessageContaining(elsewhere.toString());
        }
    }

    @Test
    void aCancelledLoadBeginsNoPhase() {
        Cancel cancel = new Cancel();
        cancel.set();
        try (ModelShards shards = new ModelShards(List.of())) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 3), (done, total) -> fail("it was loaded"), cancel))
                    .isInstanceOf(CancelledException.class);
        }
    }

    @Test
    void aLoadThatIsCancelledBetweenItsWeightsEnds() {
        Cancel cancel = new Cancel();
        try (ModelShards shards = new ModelShards(List.of())) {
            assertThatThrownBy(() -> shards.load(order(LLAMA, 3), (done, total) -> cancel.set(), cancel))
                    .isInstanceOf(CancelledException.class);
        }
    }

    @Test
    void saysThatThereIsNoSuchModel() {
        try (FakeRing ring = new FakeRing(0);
                NodeServer node = NodeServer.start(NodeOptions.loopback("n0"))) {
            ring.nodes.add(node);
            ring.connect(node);
            assertThatThrownBy(() -> ring.load(0, 1, "/no/such/model", ring.even(1)))
                    .hasMessageStartingWith("FAILED_PRECONDITION: node n0: no model /no/such/model");
        }
    }
}
