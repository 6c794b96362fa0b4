// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IProtocol} from "../../contracts/interfaces/IProtocol.sol";
import {DealsChapter} from "./DealsChapter.sol";
import {IHandler} from "./IHandler.sol";
import {Rules} from "./Rules.sol";
import {Saboteur} from "./Saboteur.sol";
import {vm} from "./Vm.sol";

/// @title Every rule can fail: the smallest wrong in the Hub's state is seen, and called by its name
contract RulesCanFail {
    error NotSeen(bytes4 expected, bytes found);

    IHandler private _handler;
    address private _hub;
    Saboteur private _saboteur;

    function setUp() public {
        bytes memory code = abi.encodePacked(vm.getCode("Handler.sol:Handler"), abi.encode("Hub", false));
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        _handler = IHandler(made);
        _hub = _handler.hub();
        IProtocol hub = IProtocol(_hub);
        _saboteur = new Saboteur(
            IAdmin.Config(
                hub.token(),
                hub.appregistry(),
                hub.datasetregistry(),
                hub.workerpoolregistry(),
                hub.owner(),
                address(0)
            )
        );
    }

    function test_nothingIsSeenWhereNothingIsWrong() public {
        _handler.checkMoney();
        _handler.checkHistory();
        _handler.finish();
    }

    function test_currencyThatIsMissing() public {
        _sabotage(abi.encodeCall(Saboteur.mint, (vm.addr(1), 1)));
        _mustSee(Rules.CurrencyDoesNotCoverTheSupply.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_amountFromNowhere() public {
        _sabotage(abi.encodeCall(Saboteur.give, (vm.addr(1))));
        _mustSee(Rules.SupplyIsNotTheSumOfTheBalances.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_amountOfSomebodyUnknown() public {
        _sabotage(abi.encodeCall(Saboteur.mint, (address(this), 1)));
        _mustSee(Rules.SupplyIsNotTheSumOfTheBalances.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_amountInTheWrongPocket() public {
        _sabotage(abi.encodeCall(Saboteur.shift, (vm.addr(1), vm.addr(2))));
        _mustSee(Rules.AccountDiffersFromTheBooks.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_lockThatSomebodyWasPaidFrom() public {
        _sabotage(abi.encodeCall(Saboteur.payFromCustody, (vm.addr(1))));
        _mustSee(Rules.HeldIsNotWhatIsLocked.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_lockFromNowhere() public {
        _sabotage(abi.encodeCall(Saboteur.lockAway, (vm.addr(1))));
        _mustSee(Rules.AccountDiffersFromTheBooks.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_kittyThatGrewByItself() public {
        _sabotage(abi.encodeCall(Saboteur.fillKitty, (vm.addr(1))));
        _mustSee(Rules.KittyDiffersFromTheBooks.selector, abi.encodeCall(IHandler.checkMoney, ()));
    }

    function test_contractThatIsNoBlob() public {
        _sabotage(abi.encodeCall(Saboteur.make, ()));
        _mustSee(Rules.NonceIsNotTheNumberOfBlobs.selector, abi.encodeCall(IHandler.checkHistory, ()));
    }

    function test_scoreFromNowhere() public {
        _sabotage(abi.encodeCall(Saboteur.score, (vm.addr(1))));
        _mustSee(Rules.ScoreDiffersFromTheRules.selector, abi.encodeCall(IHandler.checkHistory, ()));
    }

    function test_dealThatGrew() public {
        _sabotage(abi.encodeCall(Saboteur.growDeal, (_handler.firstDeal())));
        _mustSee(Rules.DealChanged.selector, abi.encodeCall(IHandler.checkAllOfHistory, ()));
    }

    function test_taskThatLives() public {
        _sabotage(abi.encodeCall(Saboteur.revive, (_handler.firstEndedTask())));
        _mustSee(Rules.EndedTaskChanged.selector, abi.encodeCall(IHandler.checkAllOfHistory, ()));
    }

    function test_orderThatIsWholeAgain() public {
        _sabotage(abi.encodeCall(Saboteur.reopenOrder, (_handler.firstUsedOrder())));
        _mustSee(DealsChapter.VolumeMiscounted.selector, abi.encodeCall(IHandler.checkAllOfHistory, ()));
    }

    /// @dev Does to the state of the Hub what its own code never does.
    function _sabotage(bytes memory wrong) private {
        bytes memory code = _hub.code;
        vm.etch(_hub, address(_saboteur).code);
        (bool done, bytes memory reason) = _hub.call(wrong);
        require(done, NotSeen(0, reason));
        vm.etch(_hub, code);
    }

    function _mustSee(bytes4 expected, bytes memory check) private {
        (bool passed, bytes memory found) = address(_handler).call(check);
        require(!passed && bytes4(found) == expected, NotSeen(expected, found));
    }
}
