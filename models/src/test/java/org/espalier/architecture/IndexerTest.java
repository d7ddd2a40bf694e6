package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.config.ConfigException;
import org.espalier.config.IndexerConfig;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;
import org.espalier.program.Cache;
import org.espalier.program.LatentAttention;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.ProgramException;
import org.espalier.program.SelectRows;
import org.espalier.program.View;
import org.espalier.slice.LayerRange;
import org.espalier.slice.SliceGroup;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** DeepSeek's sparse attention: what its configs mean, which rows are chosen, and that a choice of all rows is no choice. */
class IndexerTest {

    private static final String SPARSE = "'n_group':1,'topk_group':1,'norm_topk_prob':true,'q_lora_rank':16,"
            + "'index_topk':4,'index_n_heads':2,'index_head_dim':8,'hidden_size':64,'num_hidden_layers':7,"
            + "'num_attention_heads':4,'vocab_size':100,'max_position_embeddings':8192,'rms_norm_eps':1e-5,"
            + "'intermediate_size':128,'kv_lora_rank':16,'qk_nope_head_dim':8,'qk_rope_head_dim':4,'v_head_dim':8,"
            + "'n_routed_experts':8,'num_experts_per_tok':2,'n_shared_experts':1,'moe_intermediate_size':32,"
            + "'first_k_dense_replace':1,'routed_scaling_factor':2.5,";

    private static Architecture read(String type, String changes) {
        ObjectNode json = ConfigJson.of("{" + SPARSE + "'model_type':'" + type + "'}");
        json.setAll(ConfigJson.of(changes));
        return Architectures.read(json);
    }

    private static IndexerConfig glm(String changes) {
        return ((GlmMoeDsa) read("glm_moe_dsa", changes)).indexer();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                                                | FFFFFFF",
                "{'index_topk_freq':1}                                             | FFFFFFF",
                "{'index_topk_freq':0}                                             | FFFFFFF",
                "{'index_topk_freq':2}                                             | FFSFSFS",
                "{'index_topk_freq':4}                                             | FFSSSFS",
                "{'index_topk_freq':3,'index_skip_topk_offset':3}                  | FFFSSFS",
                "{'index_topk_freq':3,'index_skip_topk_offset':1}                  | FSSFSSF",
                "{'index_topk_pattern':'FSFSFSS','index_topk_freq':2}              | FSFSFSS",
                "{'index_topk_pattern':['full','full','full','full','full','full','shared']} | FFFFFFS",
                "{'indexer_types':['full','shared','shared','shared','full','full','full'],'index_topk_pattern':'FSFSFSS'}"
                        + " | FSSSFFF",
            })
    void glmSharesIndexersByTypesByPatternOrByFrequency(String changes, String expected) {
        StringBuilder found = new StringBuilder();
        glm(changes).full().forEach(full -> found.append(full ? 'F' : 'S'));
        assertThat(found).hasToString(expected);
    }

    @Test
    void aLayerWithoutAnIndexerUsesTheLastOneBeforeIt() {
        IndexerConfig indexer = glm("{'index_topk_pattern':'FSSFFSF'}");
        assertThat(IntStream.range(0, 7).map(indexer::chooser)).containsExactly(0, 0, 0, 3, 4, 4, 6);
        assertThat(indexer.sharing()).containsExactlyInAnyOrder(1, 2, 5);
        assertThat(read("glm_moe_dsa", "{'index_topk_pattern':'FSSFFSF'}")
                        .joinedLayers()
                        .layers())
                .containsExactlyInAnyOrder(1, 2, 5);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "glm_moe_dsa | {'index_topk_freq':2,'index_skip_topk_offset':0} | index_skip_topk_offset is 0, expected an"
                        + " indexer in layer 0, since none before it could be shared",
                "glm_moe_dsa | {'index_topk_pattern':'SFFFFFF'} | index_topk_pattern is \"SFFFFFF\", expected an indexer in layer"
                        + " 0, since none before it could be shared",
                "glm_moe_dsa | {'index_topk_pattern':'FFF'} | index_topk_pattern is \"FFF\", expected one for each of 7 layers",
                "glm_moe_dsa | {'index_topk_pattern':'FFFXFFF'} | index_topk_pattern is \"FFFXFFF\", expected a text of F and S",
                "glm_moe_dsa | {'indexer_types':['full','none']} | indexer_types is [\"full\",\"none\"], expected a list of full,"
                        + " shared",
                "glm_moe_dsa | {'indexer_rope_interleave':false} | indexer_rope_interleave is false, which is not supported:"
                        + " expected true",
                "deepseek_v32 | {'indexer_rope_interleave':true} | indexer_rope_interleave is true, which is not supported:"
                        + " expected no value",
                "deepseek_v32 | {'index_topk_freq':2} | index_topk_freq is 2, which is not supported: expected 1",
                "deepseek_v32 | {'index_topk_pattern':'FSFSFSF'} | index_topk_pattern is \"FSFSFSF\", which is not supported:"
                        + " expected no value",
                "deepseek_v32 | {'index_head_dim':2} | index_head_dim is 2, expected at least qk_rope_head_dim, 4",
                "deepseek_v32 | {'q_lora_rank':null} | the required key q_lora_rank is missing",
                "deepseek_v32 | {'layer_types':['full_attention']} | layer_types is [\"full_attention\"], expected a list of"
                        + " indexed_attention",
                "deepseek_v32 | {'mlp_layer_types':['dense','dense','sparse','sparse','sparse','sparse','sparse']} |"
                        + " mlp_layer_types is [\"dense\",\"dense\",\"sparse\",\"sparse\",\"sparse\",\"sparse\",\"sparse\"],"
                        + " expected dense in the first 1 layers and sparse in the others",
                "deepseek_v3 | {} | index_topk is 4, which is not supported: expected no value",
            })
    void whatIsNotComputedIsRefused(String type, String changes, String message) {
        assertThatThrownBy(() -> read(type, changes))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    /** As transformers 5 saves it. */
    @Test
    void whatTransformersAddsIsRead() {
        Architecture config = read(
                "deepseek_v32",
                "{'layer_types':['indexed_attention','indexed_attention'],'indexer_rope_interleave':false,"
                        + "'mlp_layer_types':['dense','sparse','sparse','sparse','sparse','sparse','sparse']}");
        assertThat(config.ignoredKeys()).isEmpty();
        assertThat(config.joinedLayers().layers()).isEmpty();
    }

    /** Every bit is DeepSeek V3's with the same weights where all rows are chosen, and is not where 3 are. */
    @Test
    void aChoiceOfAllRowsIsNoChoice(@TempDir Path directory) {
        SeededModel seeded = SeededModel.INDEXED_FP8;
        SeededCheckpoint checkpoint = seeded.checkpoint(directory);
        ObjectNode dense = seeded.config().put("model_type", "deepseek_v3");
        dense.remove("index_topk");
        float[] expected = logits(Architectures.read(dense), checkpoint);
        assertThat(logits(Architectures.read(seeded.config().put("index_topk", 7)), checkpoint))
                .containsExactly(expected);
        assertThat(logits(Architectures.read(seeded.config().put("index_topk", 100)), checkpoint))
                .containsExactly(expected);
        assertThat(logits(seeded.architecture(), checkpoint)).isNotEqualTo(expected);
    }

    /** Which layers share an indexer matters: as many layers, the same weights. */
    @Test
    void sharingAnIndexerChangesWhatIsSeen(@TempDir Path directory) {
        SeededCheckpoint checkpoint = SeededModel.INDEXED.checkpoint(directory);
        ObjectNode config = SeededModel.INDEXED.config();
        config.remove("index_topk_freq");
        float[] shared = logits(SeededModel.INDEXED.architecture(), checkpoint);
        assertThat(shared).isNotEqualTo(logits(Architectures.read(config), checkpoint));
        ObjectNode named = config.deepCopy();
        named.put("index_topk_pattern", "FFSFS");
        assertThat(shared).containsExactly(logits(Architectures.read(named), checkpoint));
    }

    private static float[] logits(Architecture architecture, SeededCheckpoint checkpoint) {
        LayerRange all = LayerRange.whole(architecture.layers());
        try (GroupRun run = new GroupRun(architecture, checkpoint, List.of(SliceGroup.alone(all)))) {
            run.step(3, 14, 15, 92);
            return run.step(65, 35, 89).logits();
        }
    }

    /** A key for each row beside the latent, in layers with an indexer. */
    @Test
    void eachIndexerKeepsAKeyARow(@TempDir Path directory) {
        Architecture architecture = SeededModel.INDEXED.architecture();
        SeededCheckpoint checkpoint = SeededModel.INDEXED.checkpoint(directory);
        Program whole = architecture.program(checkpoint, LayerRange.whole(5));
        assertThat(whole.caches().stream().map(cache -> ((Cache.Rows) cache).width()))
                .containsExactly(64, 96, 64, 96, 96, 64, 96, 96);
        assertThat(whole.plan().cacheValuesPerRow()).isEqualTo(5 * 96 + 3 * 64);
        Program shared = architecture.program(checkpoint, new LayerRange(2, 3, 5));
        assertThat(shared.plan().cacheValuesPerRow()).isEqualTo(96);
        assertThatThrownBy(shared::check)
                .isInstanceOf(ProgramException.class)
                .hasMessageEndingWith("sees the rows that layer 1 chose, the last selection before it is missing");
    }

    static Stream<GoldenModel> models() {
        return GoldenModel.shared().stream()
                .filter(model -> model.name().startsWith("deepseek_v32/hf")
                        || model.name().startsWith("glm_moe_dsa"))
                .filter(model -> model.name().endsWith("/hf"));
    }

    /** Of the last row of each prompt, the rows that transformers chooses, from what the indexer's op is given here. */
    @ParameterizedTest
    @MethodSource("models")
    void choosesTheRowsThatTransformersChooses(GoldenModel golden) {
        Model model = golden.open();
        Program program = model.architecture()
                .program(
                        model.checkpoint(),
                        LayerRange.whole(model.architecture().layers()));
        int compared = 0;
        for (GoldenModel.Golden prompt : golden.prompts()) {
            JsonNode expected = prompt.json().path("indexer_topk_last");
            for (int index = 0; index < program.ops().size(); index++) {
                if (program.ops().get(index) instanceof SelectRows select) {
                    List<Integer> rows = new ArrayList<>();
                    expected.path(String.valueOf(select.layer())).forEach(row -> rows.add(row.intValue()));
                    assertThat(chosen(program, index, select, prompt.ids("prompt_ids")))
                            .as(golden + ", layer " + select.layer())
                            .isEqualTo(rows);
                    compared++;
                }
            }
        }
        assertThat(compared).isEqualTo(2 * 3);
    }

    private static List<Integer> chosen(Program program, int index, SelectRows select, int[] tokens) {
        float[][] rows = before(program, index, tokens);
        double[] scores = Arrays.stream(rows)
                .mapToDouble(row -> score(select, rows[rows.length - 1], row))
                .toArray();
        return IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble(s -> -scores[s]))
                .limit(select.topK())
                .sorted()
                .toList();
    }

    private static double score(SelectRows select, float[] query, float[] key) {
        int width = select.k().width();
        double score = 0;
        for (int h = 0; h < select.heads(); h++) {
            double dot = 0;
            for (int i = 0; i < width; i++) {
                dot += (double) query[select.q().offset() + h * width + i]
                        * key[select.k().offset() + i];
            }
            score += query[select.w().offset() + h] * Math.max(0, dot);
        }
        return score;
    }

    /** The slot that op {@code index} reads, [T, width], just before it: the ops so far as a program that yields it. */
    private static float[][] before(Program program, int index, int[] tokens) {
        List<Op> ops = program.ops().subList(0, index);
        int slot = ((SelectRows) program.ops().get(index)).q().slot();
        View output = new View(slot, 0, program.slots().get(slot));
        Map<String, Weight> weights = new TreeMap<>();
        ops.forEach(op -> op.weights().forEach(name -> weights.put(name, program.weight(name))));
        long caches = ops.stream()
                .filter(op -> op instanceof SelectRows || op instanceof LatentAttention)
                .count();
        Program cut = new Program(
                "main",
                output.width(),
                program.slots(),
                output,
                output,
                null,
                ops,
                weights,
                program.caches().subList(0, (int) caches));
        try (Engine engine = new ReferenceEngine();
                LoadedProgram loaded = LoadedProgram.load(engine, cut, EngineOptions.FLOAT32, Loading.quietly())) {
            loaded.open(1, tokens.length, RouterEdits.NONE);
            Step step = Step.of(Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE));
            ByteBuffer bytes = loaded.run(step, Exchange.ALONE, new Cancel()).activations();
            float[][] rows = new float[tokens.length][output.width()];
            for (float[] row : rows) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = bytes.getFloat();
                }
            }
            return rows;
        }
    }
}
