package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.espalier.transport.CertificateAuthority;
import org.espalier.transport.Certificates;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "init",
        description = {
            "Makes the certificates with which the machines of a cluster know each other.",
            "Without --add and --renew: the cluster's own CA, and the client's folder. The CA's key stays on this machine."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class InitCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "The cluster's folder; without it ~/.espalier/cluster.",
            showDefaultValue = Visibility.NEVER)
    private Path out = Certificates.defaultCluster();

    @ArgGroup
    private Wanted wanted;

    /** One or none of them. */
    private static final class Wanted {
        @Option(
                names = "--add",
                paramLabel = "NODE",
                description = "Make a folder NODE with a certificate of that name, to be copied to that machine.")
        private String add;

        @Option(
                names = "--renew",
                paramLabel = "NODE",
                description = "Make a new certificate in the folder NODE, or client.")
        private String renew;
    }

    @Override
    public Integer call() {
        if (wanted == null) {
            CertificateAuthority.create(out);
            say("made " + out.resolve("ca") + ": keep it here, whoever has it can let anybody into the cluster");
            say("made " + Certificates.clientOf(out) + ": for those who use the cluster");
            say("next: espalier-node init --add NODE, for each machine that will serve");
        } else if (wanted.add != null) {
            Path folder = CertificateAuthority.in(out).add(wanted.add);
            say("made " + folder + ": copy it to that machine, for instance with `scp -rp`, and start there");
            say("espalier-node serve --listen ADDRESS:50515 --certificates " + folder.getFileName()
                    + ", with that machine's address on the cable or network");
        } else {
            Path folder = CertificateAuthority.in(out).renew(wanted.renew);
            say("made " + folder + " anew: copy it over the old one, and restart what uses it");
        }
        return 0;
    }

    private void say(String line) {
        spec.commandLine().getOut().println(line);
        spec.commandLine().getOut().flush();
    }
}
