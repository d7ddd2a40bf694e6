package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.architecture.Architectures;
import org.espalier.architecture.LayerOutput;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.Multimodal;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.model.Model;
import org.espalier.plan.ShardPlans;
import org.espalier.program.Plan;
import org.espalier.program.Program;
import org.espalier.slice.LayerRange;
import org.espalier.weights.FileRanges;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Single layers of a model with four, from a hub on loopback. */
@Timeout(60)
class ShardPullTest {

    private static final Path TINY = Golden.tiny("deepseek_v3-tiny").resolve("hf");
    private static final String FIRST = "model-00001-of-00002.safetensors";

    @TempDir
    Path directory;

    private final FakeHub hub = new FakeHub();

    @BeforeEach
    void fill() throws IOException {
        try (Stream<Path> files = Files.list(TINY)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".safetensors")) {
                    hub.large(name, Files.readAllBytes(file));
                } else {
                    hub.file(name, Files.readString(file));
                }
            }
        }
    }

    @AfterEach
    void close() {
        hub.close();
    }

    /** Gaps that are fetched too would be most of a tiny model. */
    private Path pull(int first, int end) {
        return pull(first, end, 64);
    }

    private Path pull(int first, int end, long gap) {
        HubSettings settings =
                new HubSettings(hub.address(), directory.resolve("cache"), Optional.empty(), HubSettings.Access.ONLINE);
        RetryPolicy retries = new RetryPolicy(4, Duration.ofSeconds(1), Duration.ofSeconds(30), wait -> {});
        return new ShardPull(
                        HubReference.parse("org/model"),
                        new ShardPull.Layers(first, end),
                        settings,
                        directory.resolve("models"),
                        new ShardPull.Limits(retries, Duration.ofSeconds(5), gap))
                .pull(PullListener.SILENT);
    }

    /** Whether the bytes on the disk are the model's own. */
    private static boolean isSame(Checkpoint part, String name) throws IOException {
        for (Map.Entry<Path, List<FileRanges.Range>> found :
                FileRanges.of(List.of(part.weight(name)), 0).byFile().entrySet()) {
            byte[] own = Files.readAllBytes(found.getKey());
            byte[] whole = Files.readAllBytes(TINY.resolve(found.getKey().getFileName()));
            for (FileRanges.Range range : found.getValue()) {
                int begin = (int) range.begin();
                int end = (int) range.end();
                if (!Arrays.equals(own, begin, end, whole, begin, end)) {
                    return false;
                }
            }
        }
        return true;
    }

    @Test
    void oneOfFourLayersBringsItsShareOfTheBytes() throws IOException {
        pull(0, 0); // headers and small files
        long before = hub.sent.get();
        Path folder = pull(2, 3);
        try (Model whole = Model.open(TINY);
                Model part = Model.open(folder)) {
            long share = new ShardPlans(whole).of(2, 3).residentBytes();
            assertThat((double) (hub.sent.get() - before)).isCloseTo(share, within(0.02 * share));
            assertThat(new ShardPlans(part).sizes())
                    .as("a plan needs headers only")
                    .isEqualTo(new ShardPlans(whole).sizes());
            PresentRanges.require(program(part, 2, 3).weights());
            for (String name : part.checkpoint().names()) {
                if (name.startsWith("model.layers.2.")) {
                    assertThat(isSame(part.checkpoint(), name)).as(name).isTrue();
                }
            }
        }
    }

    private static Program program(Model model, int first, int end) {
        LayerRange layers = new LayerRange(first, end, model.architecture().layers());
        return model.architecture().program(model.checkpoint(), layers);
    }

    private static void requirePresent(Path folder, int first, int end) {
        try (Model model = Model.open(folder)) {
            PresentRanges.require(program(model, first, end).weights());
        }
    }

    @Test
    void otherPartsOfAMultimodalModelAreNeverFetched(@TempDir Path made) throws IOException {
        Multimodal.of(TINY, made, "kimi_k25", Multimodal::newer);
        hub.listing().putArray("siblings"); // none of the other model
        hub.file("config.json", Files.readString(made.resolve("config.json")))
                .large("model.safetensors", Files.readAllBytes(made.resolve("model.safetensors")));
        Path folder = pull(0, 4, Plan.FETCH_GAP); // wider than the vision tower
        requirePresent(folder, 0, 4);
        PresentRanges present =
                PresentRanges.of(folder.resolve("model.safetensors")).orElseThrow();
        try (Model model = Model.open(folder)) {
            List<Checkpoint.StoredTensor> vision = model.checkpoint().tensors().stream()
                    .filter(tensor -> tensor.name().startsWith("vision_tower"))
                    .toList();
            assertThat(vision)
                    .hasSize(2)
                    .allSatisfy(tensor -> assertThat(present.missing(tensor.begin(), tensor.begin() + tensor.bytes()))
                            .containsExactly(new long[] {tensor.begin(), tensor.begin() + tensor.bytes()}));
        }
    }

    @Test
    void whatWasNotFetchedIsNotRead() {
        Path folder = pull(1, 3);
        requirePresent(folder, 1, 2);
        requirePresent(folder, 2, 3);
        assertThatThrownBy(() -> requirePresent(folder, 0, 1)).isInstanceOf(CheckpointException.class);
        assertThatThrownBy(() -> requirePresent(folder, 2, 4))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(
                        folder + " holds only some layers, lm_head.weight was not fetched: pull the layers that this"
                                + " node shall run, or the whole model");
    }

    @Test
    void theEndsBringEmbeddingAndOutput() {
        requirePresent(pull(0, 1), 0, 1);
        requirePresent(pull(3, 4), 3, 4);
    }

    /** Layer 1 lies in two parts of the file; one request brings both, and what is between them. */
    @Test
    void shortGapsAreFetchedToo() throws IOException {
        Path file = pull(1, 2, Plan.FETCH_GAP).resolve(FIRST);
        try (Model model = Model.open(TINY)) {
            Plan plan = new ShardPlans(model).of(1, 2);
            Path whole = TINY.resolve(FIRST);
            assertThat(plan.ranges(0).byFile().get(whole)).hasSizeGreaterThan(1);
            FileRanges.Range read =
                    plan.ranges(Plan.FETCH_GAP).byFile().get(whole).get(0);
            assertThat(PresentRanges.of(file).orElseThrow().covers(read.begin(), read.end()))
                    .isTrue();
            assertThat(hub.requests.stream().filter(request -> request.contains(FIRST)))
                    .as("the header's length, the header, the data")
                    .hasSize(3);
        }
    }

    /** All that a shard's engine reads came, and is the model's own. */
    @Test
    void aPulledShardRunsAsTheWholeModel() {
        Path folder = pull(1, 3);
        assertThat(LayerOutput.between(folder, 1, 3)).isEqualTo(LayerOutput.between(TINY, 1, 3));
    }

    @Test
    void moreLayersLaterBringOnlyWhatIsNew() {
        pull(0, 2);
        long before = hub.sent.get();
        pull(0, 2);
        assertThat(hub.sent.get()).isEqualTo(before);
        Path folder = pull(0, 4);
        requirePresent(folder, 0, 4);
        assertThat(folder.resolve(FIRST)).hasSameBinaryContentAs(TINY.resolve(FIRST));
    }

    @Test
    void aConnectionThatIsCutGoesOnWhereItEnded() throws IOException {
        pull(0, 0);
        hub.next(FIRST, FakeHub.cutAfter(10_000)).next(FIRST, FakeHub.cutAfter(10_000));
        Checkpoint checkpoint = Checkpoint.open(pull(1, 2), Architectures.gguf());
        assertThat(isSame(checkpoint, "model.layers.1.self_attn.o_proj.weight")).isTrue();
        assertThat(isSame(checkpoint, "model.layers.1.mlp.experts.*.up_proj.weight"))
                .isTrue();
    }

    @Test
    void aServerWithoutRangesIsSaid() {
        hub.next(FIRST, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
        });
        assertThatThrownBy(() -> pull(0, 1))
                .isInstanceOf(HubException.class)
                .hasMessage(hub.address() + " does not give parts of files: pull org/model whole");
    }

    @Test
    void layersThatTheModelDoesNotHaveAreRefused() {
        assertThatThrownBy(() -> pull(3, 5))
                .isInstanceOf(HubException.class)
                .hasMessage("org/model has layers 0 to 3, not 3 to 4");
    }

    @Test
    void layersThatNeedTheOneBeforeThemAreRefusedOnTheConfig() throws IOException {
        String indexers =
                "{\"index_topk\":4,\"index_n_heads\":2,\"index_head_dim\":32,\"index_topk_pattern\":\"FSFS\",";
        String config = Files.readString(TINY.resolve("config.json"))
                .replace("\"deepseek_v3\"", "\"glm_moe_dsa\"")
                .replaceFirst("\\{", indexers);
        hub.file("config.json", config);
        assertThatThrownBy(() -> pull(1, 2))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "of org/model, layer 1 uses rows that a layer before it chose, so that it cannot be the first of"
                                + " a node: place layer 0 with it");
        assertThat(hub.sent.get()).as("nothing but the config was sent").isEqualTo(config.length());
    }

    @Test
    void anotherCommitIsNotMixedIn() {
        pull(0, 1);
        hub.listing().put("sha", "f".repeat(40));
        assertThatThrownBy(() -> pull(1, 2))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("holds parts of another commit of org/model, " + FakeHub.COMMIT);
    }

    @Test
    void aHeaderThatIsNoneIsRefused() throws IOException {
        hub.next(FIRST, (exchange, content) -> {
            FakeHub.answerHead(exchange, content);
            exchange.getResponseBody().write(new byte[] {-1, -1, -1, -1, -1, -1, -1, 127});
        });
        assertThatThrownBy(() -> pull(0, 1))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("is not a safetensors file: its header would have");
        assertThat(directory.resolve("models/org/model/config.json")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "{\"ranges\": \"all\"}", "{\"ranges\": [[5, 2]]}", "{\"ranges\": [7]}"})
    void aDamagedRecordIsSaidToBe(String record) throws IOException {
        Path file = directory.resolve("x");
        Files.writeString(directory.resolve("x.ranges.json"), record);
        assertThatThrownBy(() -> PresentRanges.of(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(file + ".ranges.json, which says what was fetched of " + file
                        + ", is damaged or cannot be read: delete both, and fetch the file again");
    }

    @Test
    void rangesAreMergedAndGapsFound() throws IOException {
        Path file = directory.resolve("x");
        PresentRanges ranges = new PresentRanges("c");
        ranges.add(10, 20);
        ranges.add(30, 40);
        ranges.add(20, 25);
        ranges.write(file);
        PresentRanges read = PresentRanges.of(file).orElseThrow();
        assertThat(read.all()).containsExactly(new long[] {10, 25}, new long[] {30, 40});
        assertThat(read.covers(12, 25)).isTrue();
        assertThat(read.covers(12, 26)).isFalse();
        assertThat(read.covers(5, 11)).isFalse();
        assertThat(read.missing(0, 50)).containsExactly(new long[] {0, 10}, new long[] {25, 30}, new long[] {40, 50});
        assertThat(read.missing(11, 24)).isEmpty();
        read.add(5, 60);
        assertThat(read.all()).containsExactly(new long[] {5, 60});
    }
}
