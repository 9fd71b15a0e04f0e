using GridAppliance.Lab;
using GridAppliance.Lab.Commands;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Troubles;

namespace GridAppliance.Tests.Lab;

public sealed class LabArgumentsTests
{
    [Fact]
    public void Without_options_it_is_the_standard_lab()
    {
        var arguments = LabArguments.Parse(["up"]);

        Assert.Equal(("up", LabName.Default, false), (arguments.Verb, arguments.Name, arguments.WithoutAppliance));
        Assert.Null(arguments.Rack);
    }

    [Fact]
    public void Options_may_stand_anywhere_after_the_verb()
    {
        var arguments = LabArguments.Parse(["break", "cable", "--name", "x1", "n3", "--undo"]);

        Assert.Equal(["cable", "n3"], arguments.Words);
        Assert.Equal("x1", arguments.Name.ToString());
        Assert.True(arguments.Undo);
    }

    [Fact]
    public void Servers_are_a_number_or_a_list_of_kinds()
    {
        Assert.Equal([ServerFirmware.UefiHttp, ServerFirmware.Bios], LabArguments.Parse(["up", "--servers", "uefi-http,bios"]).Rack!);
        Assert.Equal(LabServers.StandardRack.Take(3), LabArguments.Parse(["up", "--servers", "3"]).Rack!);
        Assert.Equal([.. LabServers.StandardRack, ServerFirmware.Bios, ServerFirmware.Bios], LabArguments.Parse(["up", "--servers", "6"]).Rack!);
    }

    [Fact]
    public void The_image_is_one_that_is_built() => Assert.Equal((LabImage.Metal, LabImage.Virtual), (LabArguments.Parse(["up", "--image", "metal"]).Image, LabArguments.Parse(["up"]).Image));

    [Theory]
    [InlineData("up", "--image", "iron")]
    [InlineData("up", "--image")]
    [InlineData("up", "--servers")]
    [InlineData("up", "--servers", "0")]
    [InlineData("up", "--servers", "49")]
    [InlineData("up", "--servers", "-1")]
    [InlineData("up", "--servers", "bios,,bios")]
    [InlineData("up", "--servers", "arm")]
    [InlineData("up", "--timeout", "soon")]
    [InlineData("up", "--timeout", "0")]
    [InlineData("up", "--name", "a/b")]
    [InlineData("up", "--nmae", "a")]
    public void What_makes_no_sense_is_refused_in_a_sentence(params string[] words) =>
        Assert.NotEmpty(Assert.Throws<LabException>(() => LabArguments.Parse(words)).Message);

    [Fact]
    public void Every_trouble_can_be_asked_for_by_its_name()
    {
        foreach (var trouble in TroubleCatalogue.All)
        {
            var words = trouble.NeedsServer ? (string[])[trouble.Name, "n2"] : [trouble.Name];
            Assert.Equal((trouble, trouble.NeedsServer ? "n2" : ""), TroubleCatalogue.Parse(words));
        }
        Assert.Equal(TroubleCatalogue.All.Count, TroubleCatalogue.All.Select(trouble => trouble.Name).Distinct().Count());
    }

    [Theory]
    [InlineData("flood")]
    [InlineData("cable")]
    [InlineData("disk-full", "n1")]
    [InlineData("cable", "n1", "n2")]
    public void A_trouble_that_is_not_there_or_not_fully_said_is_refused(params string[] words) =>
        Assert.Throws<LabException>(() => TroubleCatalogue.Parse(words));
}
