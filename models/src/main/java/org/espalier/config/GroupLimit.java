package org.espalier.config;

/**
 * DeepSeek's choice of experts from a few groups only, so that a token visits few nodes.
 *
 * @param groups {@code n_group}; 1 for no groups
 * @param kept {@code topk_group}, groups whose experts may be chosen
 */
public record GroupLimit(int groups, int kept) {

    public static final GroupLimit NONE = new GroupLimit(1, 1);

    public static GroupLimit read(ConfigReader config, RoutedExperts experts) {
        return read(config, experts, 1);
    }

    /** As {@link #read}, for models where the two best experts score a group. */
    public static GroupLimit readForPairs(ConfigReader config, RoutedExperts experts) {
        return read(config, experts, 2);
    }

    private static GroupLimit read(ConfigReader config, RoutedExperts experts, int least) {
        int groups = config.size("n_group");
        int kept = config.size("topk_group");
        config.require(experts.count() % groups == 0, "n_group", "a divisor of n_routed_experts, " + experts.count());
        config.require(
                experts.count() / groups >= least,
                "n_group",
                "groups of two experts or more: the two best score a group");
        config.require(kept <= groups, "topk_group", "at most n_group, " + groups);
        int choosable = experts.count() / groups * kept;
        config.require(
                experts.perToken() <= choosable,
                "num_experts_per_tok",
                "at most the experts of the kept groups, " + choosable);
        return new GroupLimit(groups, kept);
    }
}
